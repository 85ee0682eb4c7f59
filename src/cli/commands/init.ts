import type { Command } from 'commander';
import { required } from '../../config.ts';
import { readRequest } from '../../request.ts';
import type { SettingsAnswer, SettledQueue } from '../../setup/settings-answer.ts';
import { settingsRequest } from '../../setup/settings-answer.ts';
import { writeSettings } from '../../setup/write-settings.ts';
import { perform } from '../terminal/command.ts';
import { isAtKeyboard, openQuestions, type Questions } from '../terminal/questions.ts';
import type { Session } from '../terminal/session.ts';

interface InitFlags {
  readonly out: string;
  readonly databaseUrl?: string;
  readonly queue?: string;
  readonly region?: string;
  readonly stripeKeyFile?: string;
  readonly questions: boolean;
}

export function addInit(program: Command): void {
  const command = program
    .command('init')
    .description('ask for database, queue and Stripe, and write them to a file of variables')
    .option('--out <file>', 'where to; a file that is there stays as it is', 'spanledger.env')
    .option('--database-url <url>', 'else DATABASE_URL, or asked for')
    .option('--queue <queue>', 'its URL; or a name, by which it is found, or made where it may be')
    .option('--region <region>', "the queue's region on AWS; else AWS_REGION, or asked for")
    .option('--stripe-key-file <file>', "a file with Stripe's key; else STRIPE_API_KEY, or asked")
    .option('--no-questions', 'ask nothing; what is not given is left out');
  perform<InitFlags>(command, async (session, { options }) => {
    const request = readRequest(settingsRequest, await settingsOf(session, options));
    const answer = await writeSettings(request);
    if (answer.lacks.length > 0) session.foundWrong();
    session.out.answer(answer, render(answer));
  });
}

/**
 * Returns what flags and the environment say, and the answers to what they leave open where
 * somebody can be asked.
 */
async function settingsOf({ config, terminal, out }: Session, flags: InitFlags) {
  const given = {
    file: flags.out,
    database_url: flags.databaseUrl ?? config.DATABASE_URL ?? null,
    queue: flags.queue ?? config.SPANLEDGER_QUEUE_URL ?? null,
    region: flags.region ?? config.AWS_REGION ?? null,
    endpoint: config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL ?? null,
    stripe_api_key: config.STRIPE_API_KEY ?? null,
    stripe_api_key_file: flags.stripeKeyFile ?? null,
    stripe_api_base: config.STRIPE_API_BASE ?? null,
  };
  const stdin = terminal.stdin();
  if (!flags.questions || !isAtKeyboard(stdin)) {
    return { ...given, database_url: given.database_url ?? required(config, 'DATABASE_URL') };
  }
  const questions = openQuestions(stdin, terminal.stderr);
  try {
    out.runsOn();
    return { ...given, ...(await askFor(questions, flags, given)) };
  } finally {
    questions.close();
  }
}

async function askFor(
  questions: Questions,
  flags: InitFlags,
  given: { readonly [name: string]: string | null },
) {
  const { ask, askSecretly } = questions;
  const already = (name: string) => given[name] ?? null;
  const orNull = (answer: string) => (answer === '' ? null : answer);
  const database_url =
    flags.databaseUrl ??
    (await ask(
      'The database, as postgres://USER:PASSWORD@HOST:5432/NAME',
      already('database_url'),
    ));
  const queue =
    flags.queue ??
    orNull(await ask('The SQS queue: its URL, or a name; empty for none yet', already('queue')));
  const isByName = queue !== null && !queue.includes('://');
  const region =
    flags.region ??
    (isByName && given['endpoint'] === null
      ? orNull(await ask('The AWS region of the queue', already('region')))
      : already('region'));
  const stripe_api_key =
    flags.stripeKeyFile === undefined
      ? orNull(
          await askSecretly(
            "Stripe's restricted key, rk_…; empty for later",
            already('stripe_api_key'),
          ),
        )
      : null;
  return { database_url, queue, region, stripe_api_key };
}

function render({ written, variables, queue, lacks }: SettingsAnswer): string {
  const file = /^[\w./-]+$/.test(written) ? written : `'${written.replaceAll("'", "'\\''")}'`;
  const isSet = (name: string) => variables.some((variable) => variable.startsWith(name));
  const path = file.includes('/') ? file : `./${file}`;
  return [
    `wrote ${written}, which only you may read: ${variables.join(', ')}`,
    ...(queue === null ? [] : [queueSaid(queue)]),
    ...lacks.map((lack) => `still missing: ${lack}`),
    '',
    'Next:',
    `  set -a; . ${path}; set +a`,
    '  spanledger migrate',
    '  spanledger price-book import FILE',
    ...(isSet('STRIPE_API_KEY') ? ['  spanledger stripe setup'] : []),
    isSet('SPANLEDGER_QUEUE_URL') ? '  spanledger worker' : '  spanledger serve --direct',
    '  spanledger status',
  ].join('\n');
}

function queueSaid({ queue_url, state, dead_letters }: SettledQueue): string {
  const dead = dead_letters === null ? '' : `; what fails ten times goes to ${dead_letters}`;
  return `queue ${queue_url} ${QUEUE_WORDS[state]}${dead}`;
}

const QUEUE_WORDS = { given: 'is taken as it is', found: 'was there', made: 'was made' } as const;
