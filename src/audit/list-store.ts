import { type RawBuilder, sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { entryOrder } from '../ledger/rollups/tenant-size-store.ts';
import { readCursor } from '../page.ts';
import type { EntriesRequest, PeriodsRequest, PushesRequest } from './lists-answer.ts';
import type { StoryEntry, StoryPeriod, StoryPush } from './story-answer.ts';
import { type StoryTexts, stories, storyOf } from './story-json-store.ts';

/** Reads entries, the newest first; one row more than was asked for tells whether others follow. */
export async function readEntryList(
  database: Database,
  request: EntriesRequest,
): Promise<readonly StoryEntry[]> {
  const { from, to, limit } = request;
  const [before = null] = readCursor(request.cursor, ['entry']) ?? [];
  const order = await entryOrder(database, request.tenant_id);
  const { rows } = await sql<StoryTexts<StoryEntry>>`
    select ${storyOf('a')} as story from (
      select ${ENTRY_COLUMNS} from entries e
      where true
        ${equal('tenant_id', request.tenant_id)} ${equal('source', request.source)}
        ${equal('event_id', request.event_id)} ${equal('user_id', request.user_id)}
        ${equal('feature', request.feature)} ${equal('agent_run_id', request.agent_run_id)}
        ${equal('trace_id', request.trace_id)} ${equal('outcome', request.outcome)}
        ${inMonth(request.month)}
        ${from === null ? sql`` : sql`and occurred_at >= ${formatInstant(from)}::timestamptz`}
        ${to === null ? sql`` : sql`and occurred_at < ${formatInstant(to)}::timestamptz`}
        ${request.as_of === null ? sql`` : sql`and recorded_at <= ${formatInstant(request.as_of)}::timestamptz`}
        ${before === null ? sql`` : sql`and e.entry_id < ${before.slice('ent_'.length)}::bigint`}
      order by e.${order} desc limit ${limit + 1}) a`.execute(database.kysely);
  return stories(rows);
}

function equal(column: string, value: string | null) {
  return value === null ? sql`` : sql`and ${sql.ref(column)} = ${value}`;
}

/** Returns the periods that begin in a month; all of them where none is asked for. */
function inMonth(month: string | null) {
  if (month === null) return sql``;
  const first = `${month}-01`;
  return sql`and period_start >= ${first}::date and period_start < ${first}::date + interval '1 month'`;
}

/** The columns of audit.entries, made of the table, which a tenant sees through the wall. */
const ENTRY_COLUMNS = sql`'ent_' || e.entry_id as entry_id, kind, outcome, tenant_id, source, event_id,
  nullif(member_id, '') as member_id, occurred_at, recorded_at, period_start, late, provider, requested_model,
  executed_model, service_tier, gateway_cache,
  uncached_input_tokens + cache_read_tokens + cache_write_tokens + units_within(units, 'input') as input_tokens,
  cache_read_tokens + units_within(units, 'cache_read') as cache_read_tokens,
  cache_write_tokens + units_within(units, 'cache_write') as cache_write_tokens,
  output_tokens + units_within(units, 'output') as output_tokens, reasoning_tokens,
  major(charge) as charge, major(cost) as cost, currency, charge_book, charge_version, user_id, feature, agent_run_id,
  prompt_version, trace_id, span_id, parent_span_id, attempt, 'ent_' || corrects_entry_id as corrects_entry_id,
  reason, operation, status, error_type, response_id, usage_source, cost_book, cost_version, actor, is_reversal,
  revision, units, major(reported_cost) as reported_cost, reported_cost_currency, reported_cost_source, call_id,
  not_due is true as not_due`;

/** Where periods are shown: to an auditor, and to a tenant behind the wall. */
export type PeriodView = 'audit.periods' | 'wall.shown_periods';

/** The periods as they are, or as they were at an instant. */
function periodsFrom(shown: PeriodView, asOf: InstantMs | null) {
  if (asOf === null) return sql.table(shown);
  const at = sql`${formatInstant(asOf)}::timestamptz`;
  return shown === 'audit.periods'
    ? sql`audit.periods_as_of(${at})`
    : sql`(${tenantsPeriodsAsOf(at)})`;
}

/** What audit.periods_as_of says of a tenant's own periods, made of what stands behind the wall. */
function tenantsPeriodsAsOf(at: RawBuilder<unknown>) {
  const wasClosed = sql`p.closed_at <= ${at}`;
  const once = (column: string) =>
    sql`case when ${wasClosed} then ${sql.ref(`p.${column}`)} end as ${sql.ref(column)}`;
  return sql`
    select p.tenant_id, p.period_start, p.starts_at, p.ends_at,
      case when ${wasClosed} then 'closed' else 'open' end as state,
      case when ${wasClosed} then p.entries else e.entries end as entries,
      case when ${wasClosed} then p.charge_exact else e.charge end as charge_exact,
      ${once('carried_in')}, ${once('billable')}, ${once('carried_out')}, ${once('charge_total')},
      case when ${wasClosed} then p.currency else e.currency end as currency,
      ${once('manifest_hash')}, ${once('closed_at')}, p.mode, null::text as told, null::text as invoice_id
    from wall.shown_periods p
    left join lateral (
      select count(*) as entries, major(coalesce(sum(o.charge) filter (where o.not_due is not true), 0)) as charge,
        min(o.currency) as currency
      from wall.entries o
      where o.tenant_id = p.tenant_id and o.period_start = p.period_start and o.recorded_at <= ${at}
        and (${wasClosed}) is not true
    ) e on true
    where ${wasClosed} or e.entries > 0`;
}

export async function readPeriodList(
  database: Database,
  shown: PeriodView,
  request: PeriodsRequest,
): Promise<readonly StoryPeriod[]> {
  const [tenant = null, start = null] = readCursor(request.cursor, ['name', 'day']) ?? [];
  const { rows } = await sql<StoryTexts<StoryPeriod>>`
    select ${storyOf('p')} as story from (
      select * from ${periodsFrom(shown, request.as_of)} shown
      where true ${equal('tenant_id', request.tenant_id)} ${equal('state', request.state)}
        ${inMonth(request.month)}
        ${tenant === null ? sql`` : sql`and (tenant_id > ${tenant} or tenant_id = ${tenant} and period_start < ${start}::date)`}
      order by tenant_id, period_start desc limit ${request.limit + 1}) p`.execute(database.kysely);
  return stories(rows);
}

export async function readPushList(
  database: Database,
  request: PushesRequest,
): Promise<readonly StoryPush[]> {
  const [tenant = null, start = null, name = null] =
    readCursor(request.cursor, ['name', 'day', 'name']) ?? [];
  const { rows } = await sql<StoryTexts<StoryPush>>`
    select ${storyOf('p')} as story from (
      select * from audit.pushes
      where true ${equal('tenant_id', request.tenant_id)} ${equal('state', request.state)}
        ${inMonth(request.month)}
        ${tenant === null ? sql`` : sql`and (tenant_id > ${tenant} or tenant_id = ${tenant} and (period_start < ${start}::date or period_start = ${start}::date and identifier > ${name}))`}
      order by tenant_id, period_start desc, identifier limit ${request.limit + 1}) p`.execute(
    database.kysely,
  );
  return stories(rows);
}
