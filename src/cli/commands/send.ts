import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import type { NewEvent, RecordAnswer, UsageClient } from '../../client/client.ts';
import { openClient } from '../../client/client.ts';
import { explainFile } from '../../files.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';
import { queueAddress } from './worker.ts';

/** A line that was not sent, and why. */
interface RefusedLine {
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
}

/** A file of another format is wrong in every line; the first ones say enough. */
const MOST_REFUSED_SHOWN = 100;

interface SendOptions {
  readonly encoding: 'zstd' | 'plain';
  readonly wait: number;
}

export function addSend(program: Command): void {
  const command = program
    .command('send')
    .argument('<file>', 'native events, one JSON object a line; - reads stdin')
    .description('send events to the queue, packed as the client of applications packs them')
    .addOption(
      new Option('--encoding <form>', 'how packs travel')
        .choices(['zstd', 'plain'])
        .default('zstd'),
    )
    .option('--wait <seconds>', 'for the queue to take the last of it', readCount, 30);
  perform<SendOptions>(command, async (session, { args: [file = ''], options }) => {
    const client = openClient({
      ...queueAddress(session, 'SPANLEDGER_QUEUE_URL'),
      // The lines stand in the file: a run that was cut short is run again.
      folder: null,
      encoding: options.encoding,
      onLost: ({ events, reason }) =>
        session.log.error({ events: events.length, reason }, 'not sent'),
      onTrouble: ({ error }) => session.log.warn({ error: String(error) }, 'queue away; waiting'),
    });
    const refused = await sendLines(client, file).finally(() =>
      client.close({ deadlineMs: options.wait * 1_000 }),
    );
    answer(session, await client.close(), refused);
  });
}

function answer(
  session: Session,
  { sent, lost }: { readonly sent: number; readonly lost: number },
  refused: readonly RefusedLine[],
): void {
  if (refused.length > 0 || lost > 0) session.foundWrong();
  const shown = refused.slice(0, MOST_REFUSED_SHOWN);
  const document = { sent, refused: refused.length, not_sent: lost, refusals: shown };
  const lines = [
    `${sent} events sent, ${refused.length} refused`,
    ...shown.map(({ line, detail }) => `line ${line}: ${detail}`),
    ...(lost > 0 ? [`${lost} events did not reach the queue; send the file again`] : []),
  ];
  session.out.answer(document, lines.join('\n'));
}

/** Answers the lines that the client did not take. */
async function sendLines(client: UsageClient, file: string): Promise<readonly RefusedLine[]> {
  const refused: RefusedLine[] = [];
  let line = 0;
  for await (const text of linesOf(file)) {
    line += 1;
    if (text.trim() === '') continue;
    await client.room();
    const recorded = recordLine(client, text);
    if (recorded.kind === 'refused') {
      refused.push({ line, reason: recorded.reason, detail: recorded.detail });
    }
  }
  return refused;
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw explainFile(error, file) ?? error;
  }
}

type Recorded =
  | RecordAnswer
  | { readonly kind: 'refused'; readonly reason: string; readonly detail: string };

function recordLine(client: UsageClient, text: string): Recorded {
  const event = parse(text);
  if (event === undefined) {
    const detail = `it is not JSON: ${JSON.stringify(text.slice(0, 60))}`;
    return { kind: 'refused', reason: 'not_json', detail };
  }
  const hasId = (event as NewEvent | null)?.event_id !== undefined;
  if (hasId || typeof event !== 'object') return client.record(event as NewEvent);
  // The client would make an id, and another one for the same line when the file is sent again.
  const detail = 'event_id: is missing; without one, a file that is sent again bills twice';
  return { kind: 'refused', reason: 'invalid_field', detail };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
