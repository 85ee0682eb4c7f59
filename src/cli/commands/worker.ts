import type { Command } from 'commander';
import type { Listening } from '../../api/listening.ts';
import { queueAddress } from '../../aws/sqs-client.ts';
import { readSettings } from '../../events/read-settings.ts';
import { type Objects, openObjects } from '../../ingest/object-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import { runWorker } from '../../ingest/worker/run-worker.ts';
import type { WorkerAnswer } from '../../ingest/worker/worker-answer.ts';
import { workerRequest } from '../../ingest/worker/worker-answer.ts';
import { WorkerFigures } from '../../ingest/worker/worker-figures.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { version } from '../../version.ts';
import { readCount, readPort, readSeconds } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { listenOn } from '../terminal/listen.ts';
import type { Session } from '../terminal/session.ts';
import { stopOnSignal } from '../terminal/signals.ts';

/** The most long polls under way; they join while messages come. */
const POLLERS = 4;

export function addWorker(program: Command): void {
  const command = program
    .command('worker')
    .description('consume the queue until SIGTERM, and finish what is in hand before ending')
    .option('--until-empty', 'exit 0 once the queue has stayed empty')
    .option('--pollers <n>', 'how many receive requests may be open at a time', readCount, POLLERS)
    .option('--health-port <n>', 'serve /healthz, /readyz and /metrics there', readPort)
    .option('--health-host <address>', 'and at which address', '127.0.0.1')
    .option(
      '--migration-wait <seconds>',
      'wait so long for a database that is not migrated yet, or has no login for it yet',
      readSeconds,
      0,
    );
  perform<WorkerFlags>(command, async (session, { options }) => {
    session.out.runsOn();
    const { config, clock, log } = session;
    const reading = readSettings(config);
    const { stop, forget } = stopOnSignal((signal) => log.info({ signal }, 'draining'));
    const address = queueAddress(config, 'SPANLEDGER_QUEUE_URL');
    const queue = openQueue({ ...address, pollers: options.pollers });
    const objects = fetchedObjects(session);
    const figures = new WorkerFigures();
    const migrationMs = options.migrationWait * 1000;
    const database = session.database();
    const parts = { database, queue, clock, log, reading, stop, figures, migrationMs };
    const door = await openDoor(parts, options);
    log.info(settingsOf(session, { queueUrl: address.queueUrl, options, door }), 'worker started');
    try {
      const given = { until_empty: options.untilEmpty === true, pollers: options.pollers };
      const request = readRequest(workerRequest, given);
      const answer = await runWorker(objects === null ? parts : { ...parts, objects }, request);
      session.out.answer(answer, render);
    } finally {
      await door?.close();
      queue.close();
      objects?.close();
      forget();
    }
  });
}

interface WorkerFlags {
  readonly untilEmpty?: boolean;
  readonly pollers: number;
  readonly healthPort?: number;
  readonly healthHost: string;
  readonly migrationWait: number;
}

/** Opens what machines may ask of this worker, where a port for it was given. */
async function openDoor(
  parts: Parameters<typeof runWorker>[0] & { readonly figures: WorkerFigures },
  { healthPort: port, healthHost: host }: WorkerFlags,
): Promise<Listening | null> {
  if (port === undefined) return null;
  const { figures, stop } = parts;
  // A worker without a port has no need of an HTTP server.
  const { startWorkerDoor } = await import('../../api/worker-door.ts');
  const isDraining = () => stop.aborted;
  return listenOn(port, () => startWorkerDoor({ parts, figures, isDraining, host, port }));
}

/**
 * Returns what decides how this worker works, for the first line of its log. No secret is among it.
 */
function settingsOf(
  { config }: Session,
  of: {
    readonly queueUrl: string;
    readonly options: WorkerFlags;
    readonly door: Listening | null;
  },
) {
  const { origin, pathname } = new URL(of.queueUrl);
  return {
    version: version(),
    queue: `${origin}${pathname}`,
    pollers: of.options.pollers,
    until_empty: of.options.untilEmpty === true,
    fetch_objects: config.SPANLEDGER_FETCH_OBJECTS,
    email_identifiers: config.SPANLEDGER_EMAIL_IDENTIFIERS,
    oldest_days: config.SPANLEDGER_OLDEST_DAYS ?? null,
    model_map: config.SPANLEDGER_MODEL_MAP !== undefined,
    litellm_key: config.SPANLEDGER_LITELLM_KEY !== undefined,
    health: of.door?.url ?? null,
  };
}

function render(answer: WorkerAnswer): string {
  const { messages, posted, duplicate, conflict, quarantined, empty } = answer;
  return `${counted(messages, 'message')}: ${counted(posted, 'event')} posted, ${counted(duplicate, 'duplicate')}, ${counted(conflict, 'conflict')}, ${figureOf(quarantined)} quarantined, ${figureOf(empty)} empty`;
}

/** Opens, where it is switched on, the objects that notifications of S3 name; else null. */
function fetchedObjects({ config }: Session): Objects | null {
  if (config.SPANLEDGER_FETCH_OBJECTS === 'no') return null;
  return openObjects(config.AWS_ENDPOINT_URL_S3 ?? config.AWS_ENDPOINT_URL ?? null);
}
