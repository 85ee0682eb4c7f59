import { DAY_MS, type InstantMs, parseInstant, utcDay } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { providerFamily } from '../../events/provider-name.ts';
import { readQuarantineWaiting } from '../../ingest/quarantine/quarantine-store.ts';
import { findWaiting } from '../../ledger/closes/waiting-entries.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { formatPico, PICO_PER_MICRO } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { periodContaining } from '../../periods/calendar.ts';
import { periodKey } from '../../periods/period-key.ts';
import { present } from '../../present.ts';
import { readAlerts, readOpenAlerts } from '../../push/alert-store.ts';
import { type Intent, valueSum } from '../../push/intent.ts';
import type { PushTarget } from '../../push/push-target.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { AlertKind } from '../../stripe/alerts/stripe-alert.ts';
import { findUnbilledPeriods, readToldPeriods } from '../../stripe/invoices/unbilled-usage.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { readTenants } from '../../tenants/tenant-store.ts';
import { counted, firstIds } from '../../text/counted.ts';
import type { LackingRow, Scope } from './completeness-store.ts';
import { readLacking, readTwiceAnswered, readUnregistered } from './completeness-store.ts';
import type { MissingRequest, MissingThing } from './missing-answer.ts';
import { chargeOf, type MissingFound, money, namesOf, thing } from './missing-found.ts';
import { missingRemedy } from './missing-remedy.ts';
import { nameAlerts } from './name-alerts.ts';
import { nameNotClosed } from './not-closed.ts';
import type { ReportedTwice } from './reported-twice.ts';
import { findReportedTwice } from './reported-twice.ts';
import { readShared } from './twice-store.ts';
import type { WaitingEvent } from './waiting-events.ts';
import { describeWaiting, isOfMonth, type Prices } from './waiting-events.ts';

/** Names what is missing, without what tells one thing from another over time. */
export async function nameMissing(
  parts: NameParts,
  request: MissingRequest,
): Promise<readonly MissingThing[]> {
  return (await findMissing(parts, request)).map(({ thing }) => thing);
}

/**
 * Finds everything that keeps a month from being whole (R24): what waits, what stands twice, whom nobody
 * registered, what is told to nobody or billed by nothing, and what has no price, measure or cost.
 * Integrity is what the laws prove; completeness is this. It changes nothing and stops nobody.
 */
export async function findMissing(
  parts: NameParts,
  request: MissingRequest,
): Promise<readonly MissingFound[]> {
  const { database, clock } = parts;
  await foldAll(database, clock);
  const now = clock();
  const scope = { month: request.month, tenantId: request.tenant_id, since: sinceOf(now) };
  return [
    ...(await nameWaiting(parts, scope)),
    ...(await nameShared(parts, scope)),
    ...(await nameReportedTwice(parts, scope)),
    ...(await nameContradicting(parts, scope)),
    ...(await nameUnregistered(parts, scope)),
    ...(await nameLacking(parts, scope)),
    ...(await nameNotClosed(parts, scope)),
    ...(await nameUntold(parts, scope)),
    ...(await nameAlerts(parts, scope)),
  ];
}

type NameParts = Pick<Parts, 'database' | 'clock'>;

/** Without a month, the periods of so many days are looked at: those that are open, and the last closed ones. */
const DAYS_LOOKED_AT = 70;

function sinceOf(now: InstantMs): string {
  return utcDay(now - DAYS_LOOKED_AT * DAY_MS);
}

const WAITING_READ = 100_000;
/** The most numbers of rows that one finding names. */
const IDS_NAMED = 5;

async function nameWaiting(
  { database }: NameParts,
  { month, tenantId }: Scope,
): Promise<readonly MissingFound[]> {
  const bounds = month === null ? null : boundsOf(month);
  const waiting: WaitingEvent[] = [];
  let prices: Prices | null = null;
  for await (const rows of readQuarantineWaiting(database, WAITING_READ)) {
    const known: Prices = prices ?? (await loadPrices(database));
    prices = known;
    const events = rows
      .flatMap((row) => describeWaiting(row, known))
      .filter((event) => bounds === null || isOfMonth(event, bounds, known.tenants))
      .filter((one) => tenantId === null || one.tenantId === null || one.tenantId === tenantId);
    waiting.push(...events);
  }
  const byTenant = Map.groupBy(waiting, (event) => event.tenantId);
  return [...byTenant].map(([tenant, events]) => waitingThing(tenant, events));
}

async function loadPrices({ kysely }: Database): Promise<Prices> {
  const catalog = await loadPriceCatalog(kysely);
  const tenants = await readTenants(kysely, 'all');
  return { catalog, tenants: new Map(tenants.map((tenant) => [tenant.tenantId, tenant])) };
}

function boundsOf(month: string) {
  const startsAt = parseInstant(`${month}-01T00:00:00Z`);
  const next = utcDay(startsAt + 31 * DAY_MS).slice(0, 7);
  return { name: month, startsAt, endsAt: parseInstant(`${next}-01T00:00:00Z`) };
}

function waitingThing(tenantId: string | null, events: readonly WaitingEvent[]): MissingFound {
  const worth = events.flatMap((event) => event.worth ?? []);
  const sums = [...Map.groupBy(worth, ({ currency }) => currency)].map(([currency, of]) => ({
    currency,
    sum: of.reduce((all, { charge }) => all + charge, 0n),
  }));
  // Amounts of two currencies are never added.
  const [only = null] = sums.length === 1 ? sums : [];
  const reasons = [...Map.groupBy(events, ({ reason }) => reason)].map(
    ([reason, of]) => `${reason} ${of.length}`,
  );
  const price =
    sums.length === 0
      ? 'without a price that can be told'
      : `worth ${sums.map(({ sum, currency }) => money(sum, currency)).join(' and ')}${worth.length < events.length ? ` for the ${worth.length} that can be priced` : ''}`;
  const ids = events.slice(0, IDS_NAMED).map(({ id }) => String(id));
  const nameOf = ({ reason, occurredAt, receivedAt }: WaitingEvent) =>
    `${reason} ${utcDay(occurredAt ?? receivedAt).slice(0, 7)}`;
  return {
    about: '',
    names: namesOf(events.map(nameOf)),
    quarantined: events.map(({ id }) => id),
    thing: {
      ...thing('quarantined', tenantId),
      count: events.length,
      amount: only === null ? null : formatPico(only.sum),
      currency: only?.currency ?? null,
      detail: `${counted(events.length, 'event')} in quarantine (${reasons.join(', ')}), ${price}: ${firstIds(ids, events.length)}`,
    },
  };
}

async function nameShared({ database }: NameParts, scope: Scope): Promise<readonly MissingFound[]> {
  const rows = await readShared(database, scope);
  return rows.map((row) => ({
    about: JSON.stringify([row.source, row.event_id, row.member_id]),
    names: namesOf(row.tenants),
    thing: {
      ...thing('under_two_tenants', null),
      count: row.entry_ids.length,
      ...chargeOf(row.charge, row.currencies),
      detail: `event ${JSON.stringify(row.event_id)} of source ${JSON.stringify(row.source)} stands under ${row.tenants.map((name) => JSON.stringify(name)).join(' and ')} (${row.entry_ids.join(', ')})`,
    },
  }));
}

async function nameReportedTwice(
  { database }: NameParts,
  scope: Scope,
): Promise<readonly MissingFound[]> {
  const reported = await findReportedTwice(database, scope);
  return reported.map((events) => {
    const tenants = new Set(events.flatMap((event) => event.tenants));
    const [tenant = null] = tenants.size === 1 ? tenants : [];
    const charge = events.reduce((sum, event) => sum + (event.charge ?? 0n), 0n);
    return {
      about: JSON.stringify(events.map((event) => [event.source, event.event_id]).toSorted()),
      names: namesOf([...tenants]),
      thing: {
        ...thing('reported_twice', tenant),
        count: events.reduce((sum, event) => sum + event.entry_ids.length, 0),
        ...chargeOf(
          charge,
          events.flatMap((event) => event.currencies),
        ),
        detail: twiceWords(events),
      },
    };
  });
}

function twiceWords([one, other, ...others]: ReportedTwice): string {
  if (others.length === 0) {
    return `one call is reported by ${reportWords(one)} and by ${reportWords(other)}`;
  }
  const more = others.length === 1 ? 'another call' : `${others.length} others`;
  return `${reportWords(one)} counts once more what the calls within it count together: ${reportWords(other)} and ${more}`;
}

function reportWords(event: ReportedTwice[number]): string {
  const { tenants, entry_ids: ids } = event;
  const of = tenants.map((name) => JSON.stringify(name)).join(' and ');
  const named = firstIds(ids.slice(0, IDS_NAMED), ids.length);
  return `event ${JSON.stringify(event.event_id)} of source ${JSON.stringify(event.source)} under ${of}${event.is_divided ? ', divided among members' : ''} (${named})`;
}

/**
 * Two workers that posted two contents of one response at once saw neither beside the other. The report with the
 * tenant stands (R8), and what the other one counted beside it is for a person to look at.
 */
async function nameContradicting(
  { database }: NameParts,
  scope: Scope,
): Promise<readonly MissingFound[]> {
  const rows = await readTwiceAnswered(database, scope, UNATTRIBUTED);
  return rows
    .filter(({ provider, tenants_provider: other }) => familyOf(provider) === familyOf(other))
    .map((row) => ({
      about: `${row.tenants_entry_id} ${row.entry_id}`,
      names: [],
      thing: {
        ...thing('contradicting', row.tenant_id),
        count: 1,
        detail: `response ${JSON.stringify(row.response_id)} is ${row.tenants_entry_id}, which stands, and ${row.entry_id} without a tenant, which counted something else`,
      },
    }));
}

/** Without a provider on one side alone nobody knows whose ids these are. */
function familyOf(provider: string | null): string | null {
  return provider === null ? null : providerFamily(provider);
}

async function nameUnregistered(
  { database }: NameParts,
  scope: Scope,
): Promise<readonly MissingFound[]> {
  const rows = await readUnregistered(database, scope, UNATTRIBUTED);
  return rows.map((row) => ({
    about: row.currency,
    names: [],
    thing: {
      ...thing('unregistered_tenant', row.tenant_id),
      count: Number(row.entries),
      amount: formatPico(row.charge),
      currency: row.currency,
      detail: `nobody registered it; it is charged ${money(row.charge, row.currency)} for ${counted(Number(row.entries), 'entry', 'entries')}`,
    },
  }));
}

async function nameLacking(
  { database, clock }: NameParts,
  scope: Scope,
): Promise<readonly MissingFound[]> {
  const rows = await readLacking(database, scope);
  const known = await readTenants(
    database.kysely,
    rows.map(({ tenant_id }) => tenant_id),
  );
  const calendars = new Map(known.map(({ tenantId, calendar }) => [tenantId, calendar]));
  const unpriced = await findUnpriced({ database, clock }, rows, known);
  const lacking = (row: LackingRow) => unpriced.get(row) ?? row.models;
  // Re-rating picks calls by when they occurred, and a late call occurred before its period.
  const occurredIn = ({ tenant_id, first_at }: (typeof rows)[number]) =>
    periodContaining(present(calendars.get(tenant_id), 'a tenant'), first_at).startDate;
  return rows.map((row) => ({
    about: '',
    names: namesOf(lacking(row)),
    thing: {
      ...thing(row.lack, row.tenant_id, row.period_start),
      remedy: missingRemedy(row.lack, {
        ...{ tenantId: row.tenant_id, periodStart: occurredIn(row) },
        wantsRates: row.wants_rates,
      }),
      count: Number(row.entries),
      detail: `${counted(Number(row.entries), 'entry', 'entries')} ${LACKS[row.lack]}: ${lacking(row).slice(0, MOST_NAMED).join(', ')} (${firstIds(row.entry_ids, Number(row.entries))})`,
    },
  }));
}

const MOST_NAMED = 5;

/** Answers of what has no price with each model that calls for one, and the units of it that have none. */
async function findUnpriced(
  { database, clock }: NameParts,
  rows: readonly LackingRow[],
  tenants: readonly Tenant[],
): Promise<ReadonlyMap<LackingRow, readonly string[]>> {
  const unrated = rows.filter(({ lack }) => lack === 'unrated');
  if (unrated.length === 0) return new Map();
  const of = unrated.map((row) => ({ tenantId: row.tenant_id, periodStart: row.period_start }));
  const waiting = await inTransaction(database, (transaction) =>
    findWaiting(transaction, of, { tenants, now: clock() }),
  );
  return new Map(
    unrated.map((row) => {
      const key = periodKey({ tenantId: row.tenant_id, periodStart: row.period_start });
      const named = waiting.get(key)?.unrated.map(({ what }) => what) ?? row.models;
      return [row, named];
    }),
  );
}

const LACKS = {
  without_cost: 'without a cost',
  unrated: 'without a price',
  unmeasured: 'without any usage',
} as const;

/** Closed periods that owe something and were told to nobody, or told and billed by no invoice. */
async function nameUntold(
  { database, clock }: NameParts,
  { month, tenantId }: Scope,
): Promise<readonly MissingFound[]> {
  const all = await readToldPeriods(database, { month, tenantId });
  const untold = all.targets.flatMap((target) => {
    const intents = all.intents.get(periodKey(target)) ?? [];
    const told = valueSum(intents.filter(({ state }) => TOLD.has(state)));
    return told < target.billableMicro ? [untoldThing(target, target.billableMicro - told)] : [];
  });
  const open = await readOpenAlerts(database, month);
  const ended = (await readAlerts(database)).filter(({ kind }) => BILLED_BY_A_PERSON.has(kind));
  const alerted = new Set([...open, ...ended].map(alertKey));
  const unbilled = await findUnbilledPeriods(database, all, { month, tenantId, now: clock() });
  const unsaid = unbilled.filter(({ target }) => !alerted.has(periodKey(target)));
  return [...untold, ...unsaid.map((of) => unbilledThing(of.target, of.meteredMicro))];
}

/** Alerts whose amount a person bills by hand; the resolution says where. */
const BILLED_BY_A_PERSON: ReadonlySet<string> = new Set<AlertKind>([
  'usage_left_on_meter',
  'invoice_void',
]);

/** An open alert is named by itself, and a resolved one says where it was billed. */
function alertKey(alert: {
  readonly tenantId: string | null;
  readonly periodStart: string | null;
}) {
  return periodKey({ tenantId: alert.tenantId ?? '', periodStart: alert.periodStart ?? '' });
}

const TOLD: ReadonlySet<Intent['state']> = new Set(['sent', 'confirmed']);

function untoldThing(target: PushTarget, micro: bigint): MissingFound {
  return ofPeriod('untold', target, {
    micro,
    words: 'are closed and told to nobody',
  });
}

function unbilledThing(target: PushTarget, micro: bigint): MissingFound {
  return ofPeriod('unbilled', target, { micro, words: 'were told, and no invoice bills them' });
}

function ofPeriod(
  kind: 'untold' | 'unbilled',
  target: PushTarget,
  of: { readonly micro: bigint; readonly words: string },
): MissingFound {
  const pico = of.micro * PICO_PER_MICRO;
  return {
    about: '',
    names: [],
    thing: {
      ...thing(kind, target.tenantId, target.periodStart),
      count: 1,
      amount: formatPico(pico),
      currency: target.currency,
      detail: `${money(pico, target.currency)} ${of.words}`,
    },
  };
}
