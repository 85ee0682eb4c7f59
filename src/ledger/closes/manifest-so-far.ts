import type { Transaction } from '../../database/database.ts';
import type { Pico } from '../../money.ts';
import { present } from '../../present.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { Carried } from './close-store.ts';
import { readCarriedIn } from './close-store.ts';
import type { FrozenManifest } from './manifest.ts';
import { MANIFEST_FORMAT, makeManifest } from './manifest.ts';
import { readCurrencies } from './period-currencies.ts';
import type { PeriodGroups } from './period-groups-store.ts';
import type { PeriodRow } from './period-store.ts';

/** What an open period comes to so far. */
export interface PeriodSoFar {
  readonly period: PeriodRow;
  readonly tenant: Tenant;
  readonly currency: string;
  readonly carriedIn: Pico;
  /** What its close would freeze, but for the root over its entries: more of them may come. */
  readonly manifest: FrozenManifest;
}

/**
 * Makes of open periods what their close would freeze, in the mode that their tenants have now. What `before` would
 * carry on is carried into them. It only reads.
 */
export async function manifestsSoFar(
  snapshot: Transaction,
  known: {
    readonly catalog: PriceCatalog;
    readonly tenants: ReadonlyMap<string, Tenant>;
    readonly before: readonly PeriodSoFar[];
  },
  some: readonly PeriodGroups<PeriodRow>[],
): Promise<readonly PeriodSoFar[]> {
  const metered = some.map((of) => {
    const tenant = present(known.tenants.get(of.period.tenantId), 'a tenant');
    return { ...of, tenant, mode: tenant.mode };
  });
  const currencyOf = await readCurrencies(snapshot, known, metered);
  const carried = metered.map((of) => ({ ...of, currency: currencyOf(of) }));
  const carriedInto = await readCarriedIn(
    snapshot.kysely,
    carried.map(({ period, mode, currency }) => ({
      ...period,
      mode,
      currency,
      carriesApart: true,
    })),
  );
  return carried.map(({ period, tenant, mode, currency, groups }) => {
    const planned = known.before.findLast(
      (of) => of.period.tenantId === period.tenantId && of.currency === currency,
    );
    const into = planned === undefined ? carriedInto(period) : carriedFrom(planned);
    const of = { format: MANIFEST_FORMAT, entriesRoot: null, carriesDue: mode === 'shadow' };
    const manifest = makeManifest({ ...period, ...into, ...of, currency }, groups);
    return { period, tenant, currency, carriedIn: into.carriedIn, manifest };
  });
}

/** What a period of one mode would carry into the next one of that mode: what is due later waits for another. */
function carriedFrom({ manifest }: PeriodSoFar): Carried {
  const { billable, carriedOutDue } = manifest;
  return { carriedIn: billable.carriedOut - (carriedOutDue ?? 0n), carriedInDue: 0n };
}
