import { type InstantMs, instantOrNull } from '../../clock.ts';
import type { UsageEvent } from '../../events/event.ts';
import { readNativeEvent } from '../../events/native-event.ts';
import type { QuarantineRow } from '../../ingest/quarantine/quarantine-store.ts';
import type { Pico } from '../../money.ts';
import { periodContaining } from '../../periods/calendar.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { rateEvent, UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { assignedBook } from '../../tenants/tenant.ts';
import { jsonIn } from '../../text/json.ts';

/** The known facts about an event that waits in quarantine. */
export interface WaitingEvent {
  readonly id: bigint;
  readonly reason: string;
  readonly receivedAt: InstantMs;
  /** It is null where the body names none. */
  readonly tenantId: string | null;
  /** It is null where it cannot be read, or where the clock that wrote it is not to be trusted. */
  readonly occurredAt: InstantMs | null;
  /** What it would be charged; null where it cannot be priced, or would replace what is charged already. */
  readonly worth: { readonly charge: Pico; readonly currency: string } | null;
}

export interface Prices {
  readonly catalog: PriceCatalog;
  readonly tenants: ReadonlyMap<string, Tenant>;
}

/**
 * Reads of a waiting event whose it is, when it was and what it is worth, by the code that rates: once for each
 * tenant who has a part of it.
 */
export function describeWaiting(row: QuarantineRow, prices: Prices): readonly WaitingEvent[] {
  const body = jsonObject(row.body);
  const said = textOf(body['occurred_at']);
  const occurredAt = said === null ? null : instantOrNull(said.toUpperCase());
  const isAstray = row.reason === 'occurred_too_early' || row.reason === 'occurred_in_future';
  const worth = row.reason === 'conflict' ? null : worthOf(body, occurredAt, prices);
  return tenantsNamed(body).map((tenantId) => ({
    id: row.quarantine_id,
    reason: row.reason,
    receivedAt: row.received_at,
    tenantId,
    occurredAt: isAstray ? null : occurredAt,
    worth: worth?.get(tenantId ?? UNATTRIBUTED) ?? null,
  }));
}

/** Returns every tenant that a body names, for itself or for one of its members; null stands for nobody. */
function tenantsNamed(body: JsonObject): readonly (string | null)[] {
  const of = (object: JsonObject) => textOf(object['tenant_id']) ?? textOf(object['customer_id']);
  const { members } = body;
  const named = Array.isArray(members)
    ? members.map((member) => (isObject(member) ? of(member) : null) ?? of(body))
    : [];
  return [...new Set(named.length === 0 ? [of(body)] : named)];
}

/**
 * Tells whether an event belongs to a tenant's month. What has no instant that can be relied on may
 * belong to every month that had begun when it came and had not long ended.
 */
export function isOfMonth(
  { tenantId, occurredAt, receivedAt }: WaitingEvent,
  month: { readonly name: string; readonly startsAt: InstantMs; readonly endsAt: InstantMs },
  tenants: ReadonlyMap<string, Tenant>,
): boolean {
  if (occurredAt === null) {
    const length = month.endsAt - month.startsAt;
    return receivedAt >= month.startsAt && receivedAt < month.endsAt + length;
  }
  const calendar = tenants.get(tenantId ?? UNATTRIBUTED)?.calendar;
  if (calendar === undefined) return occurredAt >= month.startsAt && occurredAt < month.endsAt;
  return periodContaining(calendar, occurredAt).startDate.startsWith(month.name);
}

/** Answers what each tenant would be charged for its parts; a tenant with a part that has no price is left out. */
function worthOf(
  body: JsonObject,
  occurredAt: InstantMs | null,
  { catalog, tenants }: Prices,
): ReadonlyMap<string, WaitingEvent['worth']> | null {
  if (occurredAt === null) return null;
  const event = readEvent(body, occurredAt) ?? readEvent(onlyWhatIsCharged(body), occurredAt);
  if (event === null) return null;
  const parts = rateEvent(event, {
    catalog,
    bookOf: (tenantId, at) => assignedBook(tenants.get(tenantId) ?? { books: [] }, catalog, at),
  });
  const worth = [...Map.groupBy(parts, ({ tenantId }) => tenantId)].flatMap(([tenantId, own]) => {
    const charges = own.flatMap(({ charge }) => charge ?? []);
    if (charges.length < own.length) return [];
    const charge = charges.reduce((sum, one) => sum + one, 0n);
    return [[tenantId, { charge, currency: own[0]?.currency ?? '' }] as const];
  });
  return new Map(worth);
}

function readEvent(body: JsonObject, occurredAt: InstantMs): UsageEvent | null {
  const reading = readNativeEvent(body, occurredAt);
  return reading.kind === 'event' ? reading.event : null;
}

/** Reads what decides the charge of an event with something wrong: a wrong tag is no reason to call it nothing. */
function onlyWhatIsCharged(body: JsonObject): JsonObject {
  const kept = Object.fromEntries(CHARGED.map((field) => [field, body[field]]));
  const { usage, members } = body;
  return {
    ...kept,
    event_id: 'waiting',
    status: body['status'] ?? 'ok',
    usage: isObject(usage) ? withCounts(usage) : undefined,
    members: Array.isArray(members) ? members.map(onlyShareOf) : undefined,
  };
}

function onlyShareOf(member: unknown): unknown {
  if (!isObject(member)) return member;
  const { member_id, tenant_id, customer_id, status, input_tokens, output_tokens, weight } = member;
  const share = withCounts({ input_tokens, output_tokens, weight });
  return { member_id, tenant_id, customer_id, status, ...share };
}

function withCounts(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, counted(value)]));
}

const CHARGED = [
  'occurred_at',
  'operation',
  'provider',
  'requested_model',
  'executed_model',
  'service_tier',
  'gateway_cache',
  'tenant_id',
  'customer_id',
  'provider_usage',
  'provider_api',
];

/** Reads a count that a producer wrote as a text: it is worth as much. */
function counted(count: unknown): unknown {
  return typeof count === 'string' && /^\d{1,12}$/.test(count) ? Number(count) : count;
}

type JsonObject = Readonly<Record<string, unknown>>;

function jsonObject(text: string): JsonObject {
  const value = jsonIn(text);
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
