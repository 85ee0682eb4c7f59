import { sql } from 'kysely';
import { formatInstant, type InstantMs, parseInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import type { EntryBilling } from './entry-billing.ts';
import { readEntryBilling } from './entry-billing.ts';

/** Everything that the database knows of one event: as it was received, priced, billed and pushed. */
export interface EventStory {
  readonly source: string;
  readonly event_id: string;
  readonly entries: readonly StoryRow[];
  /** By which rules each entry's amounts are what they are. */
  readonly rules: EntryBilling['rules'];
  /** In which lines of which closed period's statement each entry stands, and with how much. */
  readonly lines: EntryBilling['lines'];
  /** The rates that the entries name, as price books hold them. */
  readonly rates: readonly StoryRow[];
  readonly periods: readonly StoryRow[];
  readonly pushes: readonly StoryRow[];
  readonly quarantine: readonly StoryRow[];
  readonly structure: readonly StoryRow[];
  /** Where each entry stands in the chain; one that is not sealed yet has no number. */
  readonly seals: readonly StoryRow[];
}

/** Everything that was ever recorded. */
const NOW = 'infinity';

export type StoryRow = Readonly<Record<string, unknown>>;

/**
 * The story of an event by the producer's own ids, as it was known at an instant (null for now).
 * Throws a `Refusal` where nothing is known of it.
 */
export async function readEventStory(
  database: Database,
  of: { readonly source: string; readonly eventId: string },
  asOf: InstantMs | null = null,
): Promise<EventStory> {
  const { source, eventId } = of;
  const at = asOf === null ? NOW : formatInstant(asOf);
  const entryIds = await entryIdsOf(database, { source, eventId, at });
  const story = await readStory(database, { source, eventId, entryIds, at });
  if (story.entries.length + story.quarantine.length + story.structure.length > 0) return story;
  throw new Refusal(
    'not_found',
    `nothing ${asOf === null ? 'is' : `was at ${at}`} known of event "${eventId}" of source "${source}"`,
    'check both ids; an event that names no source has the source "default"',
  );
}

/** The story of the event behind one entry, as it was known at an instant. */
export async function readEntryStory(
  database: Database,
  entryId: string,
  asOf: InstantMs | null = null,
): Promise<EventStory> {
  const number = /^(?:ent_)?(\d{1,18})$/.exec(entryId)?.[1];
  const { rows } = await sql<{ source: string; event_id: string }>`
    select source, event_id from entries where entry_id = ${number ?? '-1'}::bigint`.execute(
    database.kysely,
  );
  const [entry] = rows;
  if (entry !== undefined) {
    const { source, event_id: eventId } = entry;
    return readEventStory(database, { source, eventId }, asOf);
  }
  throw new Refusal(
    'not_found',
    `there is no entry "${entryId}"`,
    'give an entry_id as audit.entries shows it, such as ent_12000000',
  );
}

/** Every key begins with the tenant, so each tenant is asked by its index. */
async function entryIdsOf(
  database: Database,
  of: { readonly source: string; readonly eventId: string; readonly at: string },
): Promise<readonly string[]> {
  const { rows } = await sql<{ entry_id: bigint }>`
    select e.entry_id from tenants t cross join lateral (
      select entry_id from entries
      where tenant_id = t.tenant_id and source = ${of.source} and event_id = ${of.eventId}
        and recorded_at <= ${of.at}
    ) e order by e.entry_id`.execute(database.kysely);
  return rows.map((row) => String(row.entry_id));
}

/** Pushes keep only their last state, so as of an earlier instant none are told. */
async function readStory(
  database: Database,
  of: {
    readonly source: string;
    readonly eventId: string;
    readonly entryIds: readonly string[];
    readonly at: string;
  },
): Promise<EventStory> {
  const db = database.kysely;
  const { source, eventId, at } = of;
  const isNow = at === NOW;
  const ids = [...of.entryIds];
  const entries = await sql<StoryRow>`
    select ${storyOf('a')} as story from audit.entries_as_of(${at}) a
    where a.tenant_id in (select tenant_id from entries where entry_id = any(${ids}::bigint[]))
      and a.source = ${source} and a.event_id = ${eventId}
    order by length(a.entry_id), a.entry_id`.execute(db);
  const rates = await sql<StoryRow>`
    select ${storyOf('r')} as story from (
      select book, effective_from, provider, model, service_tier, above_input_tokens,
        major(per_call) as per_call, major(input * 1000000) as input_per_million,
        major(output * 1000000) as output_per_million, major(cache_read * 1000000) as cache_read_per_million,
        major(cache_write * 1000000) as cache_write_per_million
      from price_rates where rate_id in (
        select unnest(array[charge_rate_id, cost_rate_id]) from entries where entry_id = any(${ids}::bigint[]))
      order by rate_id) r`.execute(db);
  const periods = await sql<StoryRow>`
    select ${storyOf('p')} as story
    from ${isNow ? sql`audit.periods` : sql`audit.periods_as_of(${at})`} p
    where (p.tenant_id, p.period_start) in (
      select tenant_id, period_start from entries where entry_id = any(${ids}::bigint[]))`.execute(
    db,
  );
  const pushes = await sql<StoryRow>`
    select ${storyOf('p')} as story from audit.pushes p where ${isNow} and (p.tenant_id, p.period_start) in (
      select tenant_id, period_start from entries where entry_id = any(${ids}::bigint[]))`.execute(
    db,
  );
  const quarantine = await sql<StoryRow>`
    select ${storyOf('q')} as story from audit.quarantine_as_of(${at}) q
    where q.event_id = ${eventId} and coalesce(q.source, 'default') = ${source}
    order by quarantine_id`.execute(db);
  const structure = await sql<StoryRow>`
    select ${storyOf('s')} as story from tenants t cross join lateral (
      select tenant_id, operation, status, error_type, occurred_at, agent_run_id, trace_id, span_id, parent_span_id
      from structure_spans where tenant_id = t.tenant_id and source = ${source} and event_id = ${eventId}
        and batch_id in (select batch_id from batches where recorded_at <= ${at})
    ) s`.execute(db);
  const seals = await sql<StoryRow>`
    select ${storyOf('s')} as story from (
      select 'ent_' || l.entry_id as entry_id, encode(l.leaf, 'hex') as entry_hash, s.seal_number, s.sealed_at,
        l.place as position, s.entries, s.root, s.seal_hash
      from entry_leaves l left join audit.seals s on s.batch_id = l.batch_id
      where l.entry_id = any(${ids}::bigint[]) order by l.entry_id) s`.execute(db);
  const closedUntil = isNow ? Number.POSITIVE_INFINITY : parseInstant(at);
  const billing = await readEntryBilling(database, { entryIds: ids.map(BigInt), closedUntil });
  return {
    source,
    event_id: eventId,
    entries: stories(entries.rows),
    ...billing,
    rates: stories(rates.rows),
    periods: stories(periods.rows),
    pushes: stories(pushes.rows),
    quarantine: stories(quarantine.rows),
    structure: stories(structure.rows),
    seals: stories(seals.rows),
  };
}

/** Columns that hold amounts: as strings, since a JSON number would be read as a float (R14). */
const AMOUNTS = [
  'charge',
  'cost',
  'per_call',
  'input_per_million',
  'output_per_million',
  'cache_read_per_million',
  'cache_write_per_million',
  'charge_exact',
  'carried_in',
  'billable',
  'carried_out',
  'charge_total',
  'value',
];

/** A row as JSON, its columns in their order. */
function storyOf(alias: string) {
  return sql`(select json_object_agg(key, case when key = any(${AMOUNTS}::text[]) then to_json(value #>> '{}')
    else value end) from json_each(row_to_json(${sql.raw(alias)})))`;
}

function stories(rows: readonly StoryRow[]): readonly StoryRow[] {
  return rows.map((row) => row['story'] as StoryRow);
}
