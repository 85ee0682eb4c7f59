import type { Command } from 'commander';
import { readSettings } from '../../events/read-settings.ts';
import { type Objects, openObjects } from '../../ingest/object-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import { runWorker } from '../../ingest/run-worker.ts';
import { workerRequest } from '../../ingest/worker-answer.ts';
import { readRequest } from '../../request.ts';
import { queueAddress } from '../../sqs-client.ts';
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
    const reading = readSettings(session.config);
    const stop = stopOnSignal(session);
    const queue = openQueue({
      ...queueAddress(session.config, 'SPANLEDGER_QUEUE_URL'),
      pollers: options.pollers,
    });
    const objects = fetchedObjects(session);
    const database = session.database();
    const { clock, log } = session;
    try {
      const given = { until_empty: options.untilEmpty === true, pollers: options.pollers };
      const request = readRequest(workerRequest, given);
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
