import { formatInstant, formatInstantOrNull, utcDay } from '../../clock.ts';
import type { Parts } from '../../parts.ts';
import { lastEndedMonth } from '../last-ended-month.ts';
import type { FreshnessAnswer } from './freshness-answer.ts';
import { readFreshness } from './status-store.ts';

/** Tells how new the ledger is, and how much waits for a person. */
export async function tellFreshness(
  parts: Pick<Parts, 'database' | 'clock'>,
): Promise<FreshnessAnswer> {
  const now = parts.clock();
  const row = await readFreshness(parts.database);
  return {
    at: formatInstant(now),
    running_month: utcDay(now).slice(0, 7),
    ended_month: lastEndedMonth(parts).name,
    last_batch_at: formatInstantOrNull(row.last_batch_at),
    quarantine: Number(row.quarantine),
    alerts: Number(row.alerts),
    rollups_behind: Number(row.rollups_behind),
    seals_behind: Number(row.seals_behind),
  };
}
