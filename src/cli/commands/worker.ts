import type { Command } from 'commander';
import { required } from '../../config.ts';
import type { EmailPolicy } from '../../events/email-identifiers.ts';
import type { LitellmKey } from '../../events/foreign/litellm-encrypted.ts';
import type { ReadSettings } from '../../events/read-item.ts';
import { OLDEST_DAYS } from '../../events/read-item.ts';
import { type Objects, openObjects } from '../../ingest/object-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import { runWorker } from '../../ingest/run-worker.ts';
import { endpointOf } from '../../sqs-client.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

/** The most long polls under way; they join while messages come. */
const POLLERS = 4;

export function addWorker(program: Command): void {
  const command = program
    .command('worker')
    .description('consume the queue until SIGTERM; what is in hand is finished first')
    .option('--until-empty', 'exit 0 once the queue has stayed empty')
    .option('--pollers <n>', 'receives under way at most', readCount, POLLERS);
  perform<{ untilEmpty?: boolean; pollers: number }>(command, async (session, { options }) => {
    const reading = readSettings(session);
    const stop = stopOnSignal(session);
    const queue = openQueue({
      ...queueAddress(session, 'SPANLEDGER_QUEUE_URL'),
      pollers: options.pollers,
    });
    const objects = fetchedObjects(session);
    const database = session.database();
    const { clock, log } = session;
    try {
      const request = { until_empty: options.untilEmpty === true, pollers: options.pollers };
      const parts = { database, queue, clock, log, reading, stop };
      const answer = await runWorker(objects === null ? parts : { ...parts, objects }, request);
      const { messages, posted, duplicate, conflict, quarantined, empty } = answer;
      const text = `${messages} messages: ${posted} events posted, ${duplicate} duplicates, ${conflict} conflicts, ${quarantined} quarantined, ${empty} empty`;
      session.out.answer(answer, text);
    } finally {
      queue.close();
      objects?.close();
    }
  });
}

/** Where it is switched on, the objects that notifications of S3 name; else null. */
function fetchedObjects({ config }: Session): Objects | null {
  if (config.SPANLEDGER_FETCH_OBJECTS === 'no') return null;
  return openObjects(config.AWS_ENDPOINT_URL_S3 ?? config.AWS_ENDPOINT_URL ?? null);
}

/** The first signal drains, the second ends at once. */
function stopOnSignal(session: Session): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      session.log.info({ signal }, 'draining');
      controller.abort();
    });
  }
  return controller.signal;
}

/** The address of the queue that a variable names. */
export function queueAddress(
  { config }: Session,
  variable: 'SPANLEDGER_QUEUE_URL' | 'SPANLEDGER_STRIPE_EVENTS_QUEUE_URL',
) {
  const queueUrl = required(config, variable);
  const given = config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL ?? null;
  return { queueUrl, endpoint: endpointOf(queueUrl, given), region: config.AWS_REGION ?? null };
}

export function readSettings(session: Session): ReadSettings {
  const { SPANLEDGER_OLDEST_DAYS: oldestDays = OLDEST_DAYS } = session.config;
  return { litellmKey: litellmKey(session), emails: emailPolicy(session), oldestDays };
}

function litellmKey({ config }: Session): LitellmKey | null {
  const { SPANLEDGER_LITELLM_KEY, SPANLEDGER_LITELLM_AAD } = config;
  if (SPANLEDGER_LITELLM_KEY === undefined) return null;
  const key = Buffer.from(SPANLEDGER_LITELLM_KEY, 'base64');
  return { key, additionalData: SPANLEDGER_LITELLM_AAD ?? null };
}

function emailPolicy({ config }: Session): EmailPolicy {
  const kind = config.SPANLEDGER_EMAIL_IDENTIFIERS;
  return kind === 'hash' ? { kind, key: required(config, 'SPANLEDGER_EMAIL_KEY') } : { kind };
}
