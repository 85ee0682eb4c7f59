import { type Database, inSnapshot } from '../../src/database/database.ts';
import type { SpansOfRun } from '../../src/reports/runs/agent-run.ts';
import { eachTellingRun } from '../../src/reports/runs/plain-run-store.ts';
import type { RunQuestion } from '../../src/reports/runs/run-store.ts';

/** Hands on every run: where one step makes a loop, no run is plain. */
export function eachRun(
  database: Database,
  question: RunQuestion,
  work: (run: SpansOfRun) => void,
): Promise<void> {
  return inSnapshot(database, (transaction) =>
    eachTellingRun(transaction, { question, loopSteps: 1 }, work),
  );
}
