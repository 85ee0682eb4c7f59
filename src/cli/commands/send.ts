import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { queueAddress } from '../../aws/sqs-client.ts';
import { explainFile } from '../../files.ts';
import type { SendAnswer, SendRequest } from '../../ingest/send-answer.ts';
import { sendRequest } from '../../ingest/send-answer.ts';
import { sendLines } from '../../ingest/send-lines.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import type { Terminal } from '../terminal/terminal.ts';

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
  perform<SendFlags>(command, async (session, { args: [file = ''], options }) => {
    const { encoding, wait: wait_seconds } = options;
    const parts = { queue: queueAddress(session.config, 'SPANLEDGER_QUEUE_URL'), log: session.log };
    const request = readRequest(sendRequest, { encoding, wait_seconds });
    const answer = await sendLines(parts, { ...request, lines: linesOf(file, session.terminal) });
    if (answer.refused > 0 || answer.not_sent > 0) session.foundWrong();
    session.out.answer(answer, render);
  });
}

interface SendFlags {
  readonly encoding: SendRequest['encoding'];
  readonly wait: number;
}

function render({ sent, refused, not_sent, refusals }: SendAnswer): string {
  return [
    `${counted(sent, 'event')} sent, ${figureOf(refused)} refused`,
    ...refusals.map(({ line, detail }) => `line ${line}: ${detail}`),
    ...(not_sent > 0
      ? [`${counted(not_sent, 'event')} did not reach the queue; send the file again`]
      : []),
  ].join('\n');
}

async function* linesOf(file: string, { stdin }: Terminal): AsyncGenerator<string> {
  const input = file === '-' ? stdin() : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw explainFile(error, file) ?? error;
  }
}
