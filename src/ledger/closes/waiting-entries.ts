import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { monthsOf } from '../../periods/calendar.ts';
import { periodKey } from '../../periods/period-key.ts';
import { present } from '../../present.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { unitOf } from '../../units.ts';
import { readEntries } from '../entries/entry-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import { rateEntry } from '../reversals/correction.ts';
import type { WaitingRow } from './objections-store.ts';
import { readWaiting } from './objections-store.ts';
import type { PeriodRow } from './period-store.ts';

/** Entries of one model that hold up a close in the same way. */
interface Waiting {
  /** The model, with the units that have no price where the model itself has one. */
  readonly what: string;
  readonly entries: number;
}

/** What of a period has no charge yet: for want of a price, or of a measure (R10). */
export interface WaitingEntries {
  readonly unrated: readonly Waiting[];
  readonly unmeasured: readonly Waiting[];
  /** The months in which their calls occurred, of late ones an earlier one: by them they are priced anew. */
  readonly months: readonly string[];
}

/**
 * Finds the entries that hold up these periods, by `periodKey`; periods without any are left out.
 */
export async function findWaiting(
  transaction: Transaction,
  periods: readonly Pick<PeriodRow, 'tenantId' | 'periodStart'>[],
  of: { readonly tenants: readonly Tenant[]; readonly now: InstantMs },
): Promise<ReadonlyMap<string, WaitingEntries>> {
  const calendars = new Map(of.tenants.map(({ tenantId, calendar }) => [tenantId, calendar]));
  const rows = await readWaiting(transaction.kysely, periods);
  const units = await unpricedUnitsOf(transaction, rows, of.now);
  const byPeriod = Map.groupBy(rows, (row) => periodKey(row));
  return new Map(
    [...byPeriod].map(([key, own]) => {
      const { unrated = [], unmeasured = [] } = Object.groupBy(own, ({ outcome }) => outcome);
      const months = own.flatMap(({ tenantId, firstAt, lastAt }) =>
        monthsOf(present(calendars.get(tenantId), 'the calendar of a tenant'), firstAt, lastAt),
      );
      return [
        key,
        {
          unrated: summed(unrated, units),
          unmeasured: summed(unmeasured, units),
          months: [...new Set(months)].sort(),
        },
      ];
    }),
  );
}

/** By an entry of each kind it finds the words of the units that it counted and that no price is known for. */
async function unpricedUnitsOf(
  transaction: Transaction,
  rows: readonly WaitingRow[],
  now: InstantMs,
): Promise<ReadonlyMap<bigint, string>> {
  const samples = rows.filter(({ outcome }) => outcome === 'unrated').map(({ sample }) => sample);
  if (samples.length === 0) return new Map();
  const entries = await readEntries(transaction, samples);
  const cache = new ReferenceCache();
  await cache.refresh(transaction, new Set(entries.map(({ tenantId }) => tenantId)), now);
  const pricing = cache.pricing();
  return new Map(
    entries.map((entry) => {
      const { unpriced } = rateEntry(entry, pricing);
      return [entry.entryId, unpriced.map((unit) => unitOf(unit).words[1]).join(' and ')];
    }),
  );
}

function summed(
  rows: readonly WaitingRow[],
  units: ReadonlyMap<bigint, string>,
): readonly Waiting[] {
  const counts = new Map<string, number>();
  for (const { model, sample, entries } of rows) {
    const unpriced = units.get(sample) ?? '';
    const what = unpriced === '' ? model : `${model} for ${unpriced}`;
    counts.set(what, (counts.get(what) ?? 0) + entries);
  }
  return [...counts].map(([what, entries]) => ({ what, entries }));
}
