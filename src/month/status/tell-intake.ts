import { formatInstant, HOUR_MS } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { readIntake } from './status-store.ts';

/** What came in during the last hour, as the receipts of its batches count it. */
export interface Intake {
  readonly since: string;
  readonly received: number;
  readonly posted: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly quarantined: number;
}

/** Tells how many events came in during the last hour, and what became of them. */
export async function tellIntake({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<Intake> {
  const since = clock() - HOUR_MS;
  const row = await readIntake(database, since);
  return {
    since: formatInstant(since),
    received: Number(row.received),
    posted: Number(row.posted),
    duplicates: Number(row.duplicates),
    conflicts: Number(row.conflicts),
    quarantined: Number(row.quarantined),
  };
}
