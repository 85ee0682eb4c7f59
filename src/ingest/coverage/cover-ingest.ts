import { DAY_MS, formatInstant } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import type { IngestCoverageAnswer, IngestCoverageRequest } from './coverage-answer.ts';
import { readCoveredHours } from './coverage-store.ts';

/** Counts what came in by source and hour, so that a producer can prove that everything it sent is here. */
export async function coverIngest(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { since, until, source }: IngestCoverageRequest,
): Promise<IngestCoverageAnswer> {
  const to = until ?? clock();
  const from = since ?? to - DAY_MS;
  const hours = await readCoveredHours(database, { from, to, source });
  return { since: formatInstant(from), until: formatInstant(to), hours };
}
