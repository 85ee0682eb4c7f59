import { formatInstant, type InstantMs } from '../../clock.ts';
import { inSnapshot, type Transaction } from '../../database/database.ts';
import { manifestsSoFar } from '../../ledger/closes/manifest-so-far.ts';
import { wayOutOfMixed } from '../../ledger/closes/mixed-currencies.ts';
import { readObjections } from '../../ledger/closes/objections-store.ts';
import { readMixedCurrencies } from '../../ledger/closes/period-currencies-store.ts';
import { groupPeriodsIn, type PeriodGroups } from '../../ledger/closes/period-groups-store.ts';
import { type PeriodRow, readPeriodsOf } from '../../ledger/closes/period-store.ts';
import { formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { periodsBeginningIn } from '../../periods/calendar.ts';
import { periodKey } from '../../periods/period-key.ts';
import { present } from '../../present.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { readStandingCredits } from '../../tenants/left-owed-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import { buildStatement, waitingCalls } from '../statement.ts';
import type { StatementDocument, StatementKey } from '../statement-answer.ts';
import { withEntries } from '../statement-document.ts';
import { localDayOf, localDaysOf } from '../statement-format.ts';
import { readBesideOf, readIssuerOf } from '../statement-store.ts';
import { projectTotal } from './projected-total.ts';

/**
 * Returns what a tenant's open periods of a month come to so far, by the arithmetic of the close:
 * all of it as the ledger was at one moment, and nothing of it is kept.
 */
export async function previewStatements(
  { database, view = database, clock }: Pick<Parts, 'database' | 'view' | 'clock'>,
  key: StatementKey,
): Promise<readonly StatementDocument[]> {
  const now = clock();
  const catalog = await loadPriceCatalog(database.kysely);
  return inSnapshot(view, async (snapshot) => {
    const tenant = await readTenant(snapshot.kysely, key.tenant_id);
    const periods = await readOpenPeriods(snapshot, tenant, { key, now });
    const found: PeriodGroups<PeriodRow>[] = [];
    const grouped = { periods, catalog, isWalled: view !== database };
    await groupPeriodsIn(snapshot, grouped, async (some) => {
      found.push(...some);
    });
    const documents: StatementDocument[] = [];
    for (const metered of found) {
      documents.push(await previewPeriod(snapshot, catalog, { ...metered, tenant, now }));
    }
    return documents;
  });
}

/** Reads the periods that take entries still, and those that have begun and have none yet. */
async function readOpenPeriods(
  { kysely }: Transaction,
  tenant: Tenant,
  { key, now }: { readonly key: StatementKey; readonly now: InstantMs },
): Promise<readonly PeriodRow[]> {
  const { tenantId, calendar, closedUntil, leftAt } = tenant;
  const { month } = key;
  const known = await readPeriodsOf(kysely, month, tenantId);
  const idle = periodsBeginningIn(calendar, month)
    .filter(({ startDate }) => known.every(({ periodStart }) => periodStart !== startDate))
    .filter(({ startsAt, endsAt }) => startsAt <= now && endsAt > (closedUntil ?? startsAt))
    .filter(({ startsAt }) => leftAt === null || startsAt < leftAt)
    .map(
      ({ startDate, ...period }): PeriodRow => ({
        ...period,
        tenantId,
        periodStart: startDate,
        state: 'open',
      }),
    );
  const open = [...known.filter(({ state }) => state !== 'closed'), ...idle];
  if (open.length > 0) return open;
  if (known.length > 0) {
    throw new Refusal(
      'conflict',
      `the period of tenant "${tenantId}" that begins in ${month} is closed, and a preview is of an open one`,
      advise`take its statement, with ${{ operation: 'statement', tenant_id: tenantId, month, show: 'closed' }}`,
    );
  }
  throw new Refusal(
    'too_early',
    `no open period of tenant "${tenantId}" begins in ${month}`,
    advise`give the month in which its running period began; ${{ operation: 'tenant list' }} shows the calendar of each tenant`,
  );
}

interface RunningPeriod extends PeriodGroups<PeriodRow> {
  readonly tenant: Tenant;
  readonly now: InstantMs;
}

async function previewPeriod(
  snapshot: Transaction,
  catalog: PriceCatalog,
  running: RunningPeriod,
): Promise<StatementDocument> {
  const { period, groups, currencies, tenant, now } = running;
  if (currencies.length > 1) await refuseMixedCurrencies(snapshot, period);
  const { mode } = tenant;
  const known = { catalog, tenants: new Map([[tenant.tenantId, tenant]]), before: [] };
  const [soFar] = await manifestsSoFar(snapshot, known, [{ period, groups, currencies }]);
  const { currency, carriedIn, manifest: frozen } = present(soFar, 'the period itself');
  const { manifest, chargeExact, carriedOutDue } = frozen;
  const beside = await readBesideOf(snapshot, manifest, await readIssuerOf(snapshot));
  const projection = projectTotal({
    days: localDaysOf(manifest),
    today: localDayOf(now, period.timeZone),
    daily: beside.daily,
    currency,
    exact: chargeExact - (carriedOutDue ?? 0n),
    carriedIn,
  });
  const { earlierOpen } = await readObjections(snapshot.kysely, [period]);
  const earlier = earlierOpen.get(periodKey(period))?.start ?? null;
  const credits = await readStandingCredits(snapshot.kysely, tenant.tenantId);
  const statement = buildStatement({
    manifest,
    mode,
    frozen: null,
    preview: {
      as_of: formatInstant(now),
      earlier_open: earlier,
      projection,
      waiting: waitingCalls(manifest),
      left_owed: credits
        .filter((credit) => credit.currency !== currency)
        .map((credit) => ({ amount: formatPico(-credit.carried_out), currency: credit.currency })),
    },
  });
  return withEntries(statement, beside);
}

/** Nobody can add what is charged in two currencies; a close refuses it, too. */
async function refuseMixedCurrencies(snapshot: Transaction, period: PeriodRow): Promise<void> {
  const found = await readMixedCurrencies(snapshot, [period]);
  const mixed = found.get(periodKey(period));
  if (mixed === undefined) return;
  const { tenantId, periodStart } = period;
  throw new Refusal(
    'conflict',
    `period ${periodStart} of tenant "${tenantId}" has charges in ${mixed.currencies.join(' and ')}, which have no common sum`,
    wayOutOfMixed(mixed, periodStart.slice(0, 7)),
  );
}
