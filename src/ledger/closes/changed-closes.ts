import { formatInstant, parseInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { periodKey } from '../../periods/period-key.ts';
import { readCarriedIn } from './close-store.ts';
import type { CloseRow } from './closed-periods-store.ts';
import { eachPeriod } from './each-period.ts';
import type { FrozenManifest, PeriodFacts } from './manifest.ts';
import { makeManifest } from './manifest.ts';
import type { PeriodRow } from './period-store.ts';
import { readPeriodRows } from './period-store.ts';

/** A close that is not what its entries give, with every column that differs. */
export interface ChangedClose {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly faults: readonly string[];
}

/**
 * Makes the manifest of each of these closes again and compares the whole row with it: the bytes, their hash and
 * every amount that is kept beside them, since an amount is what is told. What the manifest says of the period's
 * bounds is compared with the period.
 */
export async function findChangedCloses(
  database: Database,
  closes: readonly CloseRow[],
): Promise<readonly ChangedClose[]> {
  const carriedInto = await readCarriedIn(database.kysely, closes);
  const rows = await readPeriodRows(database.kysely, closes);
  const periodOf = new Map(rows.map((row) => [periodKey(row), row]));
  const changed: ChangedClose[] = [];
  await eachPeriod(database, closes, async (some) => {
    for (const { period: close, groups, entriesRoot } of some) {
      const { tenantId, periodStart } = close;
      const period = periodOf.get(periodKey({ tenantId, periodStart }));
      const remade = remake(() => {
        const facts = { ...frozenFacts(close, entriesRoot), ...carriedInto(close) };
        return { facts, frozen: makeManifest(facts, groups) };
      });
      const faults = remade === null ? [NO_MANIFEST] : faultsOf(close, remade, period);
      if (faults.length > 0) changed.push({ tenantId, periodStart, faults });
    }
  });
  return changed;
}

const NO_MANIFEST = 'the manifest recomputes differently: its entries make none at all';

interface Remade {
  readonly facts: PeriodFacts;
  readonly frozen: FrozenManifest;
}

function faultsOf(
  close: CloseRow,
  { facts, frozen }: Remade,
  period: PeriodRow | undefined,
): readonly string[] {
  const { manifest, billable } = frozen;
  const given: readonly (readonly [string, bigint | null, bigint | null])[] = [
    ['entries', close.entries, BigInt(manifest.entries)],
    ['charge_exact', close.chargeExact, frozen.chargeExact],
    ['carried_in', close.carriedIn, facts.carriedIn],
    ['billable_micro', close.billableMicro, billable.billableMicro],
    ['carried_out', close.carriedOut, billable.carriedOut],
    ['carried_out_due', close.carriedOutDue, frozen.carriedOutDue],
    ['charge_total', close.chargeTotal, billable.total],
  ];
  return [
    ...(frozen.text === close.manifest ? [] : ['the manifest recomputes differently']),
    ...(frozen.hash === close.manifestHash ? [] : ['manifest_hash is not that of the manifest']),
    ...given
      .filter(([, kept, remade]) => kept !== remade)
      .map(([column, kept, remade]) => `${column} is ${kept}, and its entries give ${remade}`),
    ...boundFaults(facts, period),
  ];
}

function boundFaults(facts: PeriodFacts, period: PeriodRow | undefined): readonly string[] {
  if (period === undefined) return ['its period is gone'];
  const told = (of: Pick<PeriodRow, 'startsAt' | 'endsAt' | 'timeZone'>) =>
    `${formatInstant(of.startsAt)} to ${formatInstant(of.endsAt)} in ${of.timeZone}`;
  return [
    ...(told(facts) === told(period)
      ? []
      : [`its period is ${told(period)}, and the manifest says ${told(facts)}`]),
    ...(period.state === 'closed' ? [] : [`its period is ${period.state}`]),
  ];
}

/** Periods closed before there were seals are frozen without a root. */
function frozenFacts(close: CloseRow, entriesRoot: string) {
  const frozen = JSON.parse(close.manifest);
  return {
    tenantId: close.tenantId,
    periodStart: close.periodStart,
    startsAt: parseInstant(frozen.starts_at),
    endsAt: parseInstant(frozen.ends_at),
    timeZone: frozen.time_zone,
    currency: close.currency,
    format: frozen.format,
    carriesDue: close.carriedOutDue !== null,
    entriesRoot: frozen.format === 'spanledger-manifest-1' ? null : entriesRoot,
  };
}

/** Entries that no longer fit their prices, and bytes that are no manifest, make none, which is a change too. */
function remake(make: () => Remade): Remade | null {
  try {
    return make();
  } catch {
    return null;
  }
}
