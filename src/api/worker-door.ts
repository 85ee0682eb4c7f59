import { Hono } from 'hono';
import type { LagParts, WorkerFigures, WorkerLag } from '../ingest/worker/worker-figures.ts';
import { readLag } from '../ingest/worker/worker-figures.ts';
import type { Log } from '../log.ts';
import { answerHealth, endingProblem } from './health.ts';
import { type Listening, listenAt } from './listening.ts';
import { problem } from './problem.ts';
import { family, gauge, PROMETHEUS, single } from './prometheus.ts';
import { type Reply, textReply } from './reply.ts';

export interface WorkerDoorOptions {
  readonly parts: LagParts & { readonly log: Log };
  readonly figures: WorkerFigures;
  /** Whether the worker drains: it is well, and takes nothing more. */
  readonly isDraining: () => boolean;
  readonly host: string;
  readonly port: number;
}

/**
 * Answers what machines ask of a worker: whether it lives, whether it takes work, and its figures.
 * They are what it counted itself and what a worker's role may read; how the month stands is asked
 * of the HTTP server.
 */
export function startWorkerDoor(options: WorkerDoorOptions): Promise<Listening> {
  const { parts, figures, isDraining } = options;
  const app = new Hono();
  app.get('/healthz', async () => toResponse(await answerHealth(parts)));
  app.get('/readyz', async () =>
    toResponse(isDraining() ? endingProblem('worker') : await answerTaking(options)),
  );
  app.get('/metrics', async () =>
    toResponse(textReply(PROMETHEUS, metricsOf(figures, await readLag(parts)))),
  );
  return listenAt((request) => app.fetch(request), options);
}

/** A database may answer and take nothing, as one whose disk is full does: then nothing is received. */
async function answerTaking({ parts, figures }: WorkerDoorOptions): Promise<Reply> {
  const { waitsFor } = figures;
  if (waitsFor === null) return answerHealth(parts);
  const remedy = 'the log of the worker says what mends it; it goes on by itself';
  return problem('unavailable', { detail: `nothing is received: ${waitsFor}`, remedy });
}

function metricsOf({ counts, waitsFor }: WorkerFigures, lag: WorkerLag): string {
  const { messages, ...outcomes } = counts;
  const byOutcome = Object.entries(outcomes).map(
    ([outcome, count]) => [`outcome="${outcome}"`, count] as const,
  );
  const lines = [
    ...single('spanledger_worker_messages_total', 'counter', ['messages received', messages]),
    ...family(
      'spanledger_worker_events_total',
      'counter',
      'events by what became of them',
      new Map(byOutcome),
    ),
    ...single('spanledger_worker_waiting', 'gauge', [
      'whether it receives nothing because the ledger does not take it',
      waitsFor === null ? 0 : 1,
    ]),
    ...gauge('up', 'whether the ledger answers', lag.rollups_behind === null ? 0 : 1),
    ...gauge('queue_messages', 'messages that wait or are in hand', lag.queue),
    ...gauge('lag_seconds', 'since the last batch while messages wait', lag.lag_seconds),
    ...gauge(
      'rollups_behind_batches',
      'batches that are not in the rollups yet',
      lag.rollups_behind,
    ),
    ...gauge('seals_behind_batches', 'batches that are not in the chain yet', lag.seals_behind),
  ];
  return `${lines.join('\n')}\n`;
}

function toResponse({ status, type, body, headers }: Reply): Response {
  return new Response(String(body), { status, headers: { ...headers, 'content-type': type } });
}
