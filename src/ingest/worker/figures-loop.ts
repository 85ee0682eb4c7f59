import { pause } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { WorkerAnswer } from './worker-answer.ts';
import type { LagParts } from './worker-figures.ts';
import { readLag, type WorkerFigures } from './worker-figures.ts';

const EVERY_MS = 60_000;

/** Says once a minute what the worker did in it and how far behind it is, until the signal is aborted. */
export async function runFiguresLoop(
  parts: LagParts & { readonly log: Log },
  { figures, everyMs = EVERY_MS }: { readonly figures: WorkerFigures; readonly everyMs?: number },
  stop: AbortSignal,
): Promise<void> {
  let before = figures.counts;
  for (;;) {
    await pause(everyMs, stop);
    if (stop.aborted) return;
    const now = figures.counts;
    parts.log.info({ ...since(before, now), ...(await readLag(parts)) }, 'at work');
    before = now;
  }
}

/** Returns what came between two moments, in the words of the receipts. */
function since(before: WorkerAnswer, now: WorkerAnswer) {
  const posted = now.posted - before.posted;
  const duplicates = now.duplicate - before.duplicate;
  const conflicts = now.conflict - before.conflict;
  const quarantined = now.quarantined - before.quarantined;
  const empty = now.empty - before.empty;
  const received = posted + duplicates + conflicts + quarantined + empty;
  const messages = now.messages - before.messages;
  return { messages, received, posted, duplicates, conflicts, quarantined, empty };
}
