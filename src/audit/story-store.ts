import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import { type Database, inTransaction, type Transaction } from '../database/database.ts';
import { ENTRIES_PER_BATCH } from '../database/entries-of-batch.ts';
import { FURTHER_UNITS, pricedTogether } from '../units.ts';
import { readEntryBilling } from './entry-billing.ts';
import type {
  StoryAnswer,
  StoryEntry,
  StoryPeriod,
  StoryPush,
  StoryQuarantine,
  StoryRate,
  StorySeal,
  StorySecondReport,
  StoryStructure,
} from './story-answer.ts';
import { type StoryTexts, stories, storyOf } from './story-json-store.ts';

/**
 * Reads the source and the event id of an entry, by the number in its id; null where there is none.
 */
export async function readEventOfEntry(
  database: Database,
  entryId: string,
): Promise<{ readonly source: string; readonly event_id: string } | null> {
  const { rows } = await sql<{ source: string; event_id: string }>`
    select source, event_id from entries where entry_id = ${entryId}::bigint`.execute(
    database.kysely,
  );
  return rows[0] ?? null;
}

/**
 * Reads what is known of an event by its ids, as it was known at an instant (null for now); empty
 * where nothing is. Pushes keep only their last state, so as of an earlier instant none are shown.
 */
export async function readStory(
  database: Database,
  of: { readonly source: string; readonly eventId: string; readonly asOf: InstantMs | null },
): Promise<StoryAnswer> {
  const db = database.kysely;
  const { source, eventId, asOf } = of;
  const at = asOf === null ? EVER : formatInstant(asOf);
  const ids = [...(await entryIdsOf(database, { source, eventId, at }))];
  const entries = await sql<StoryTexts<StoryEntry>>`
    select ${storyOf('a')} as story from audit.entries_as_of(${at}) a
    where a.tenant_id in (select tenant_id from entries_of_ids(${ids}::bigint[]))
      and a.source = ${source} and a.event_id = ${eventId}
    order by length(a.entry_id), a.entry_id`.execute(db);
  const rates = await sql<StoryTexts<StoryRate>>`
    select ${storyOf('r')} as story from (
      select book, effective_from, provider, model, service_tier, above_input_tokens,
        major(per_call) as per_call, major(input * 1000000) as input_per_million,
        major(output * 1000000) as output_per_million, major(cache_read * 1000000) as cache_read_per_million,
        major(cache_write * 1000000) as cache_write_per_million,
        (select jsonb_object_agg(u.key, major(u.value::numeric * ${pricedTogetherOf('u.key')})::text)
          from jsonb_each_text(units) u) as unit_prices
      from price_rates where rate_id in (
        select unnest(array[charge_rate_id, cost_rate_id]) from entries_of_ids(${ids}::bigint[]))
      order by rate_id) r`.execute(db);
  const periods = await sql<StoryTexts<StoryPeriod>>`
    select ${storyOf('p')} as story
    from ${asOf === null ? sql`audit.periods` : sql`audit.periods_as_of(${at})`} p
    where (p.tenant_id, p.period_start) in (
      select tenant_id, period_start from entries_of_ids(${ids}::bigint[]))
    order by p.tenant_id, p.period_start`.execute(db);
  const pushes = await sql<StoryTexts<StoryPush>>`
    select ${storyOf('p')} as story from audit.pushes p where ${asOf === null} and (p.tenant_id, p.period_start) in (
      select tenant_id, period_start from entries_of_ids(${ids}::bigint[]))`.execute(db);
  const quarantine = await sql<StoryTexts<StoryQuarantine>>`
    select ${storyOf('q')} as story from audit.quarantine_as_of(${at}) q
    where q.event_id = ${eventId} and coalesce(q.source, 'default') = ${source}
    order by quarantine_id`.execute(db);
  const structure = await byEventId(database, (transaction) =>
    sql<StoryTexts<StoryStructure>>`
      with found as materialized (
        select s.* from structure_spans s where ${isOfEvent('s', { source, eventId })}
      )
      select ${storyOf('s')} as story from (
        select tenant_id, operation, status, error_type, occurred_at, agent_run_id, trace_id, span_id, parent_span_id
        from found s where exists (select from batches b where b.batch_id = s.batch_id and b.recorded_at <= ${at})
        order by tenant_id
      ) s`.execute(transaction.kysely),
  );
  const seconds = await sql<StoryTexts<StorySecondReport>>`
    select ${storyOf('s')} as story from (
      select tenant_id, because, (select 'ent_' || e.entry_id
          from entries_of_event(r.repeats_tenant_id, r.repeats_source, r.repeats_event_id) e
          order by e.revision, e.entry_id limit 1) as repeats_entry_id,
        repeats_tenant_id, repeats_source, repeats_event_id, recorded_at
      from second_reports_of_event(${source}, ${eventId}) r where recorded_at <= ${at} order by tenant_id
    ) s`.execute(db);
  const seals = await sql<StoryTexts<StorySeal>>`
    select ${storyOf('s')} as story from (
      select 'ent_' || e.entry_id as entry_id, encode(coalesce(e.entry_hash, entry_hash(e, b.salt)), 'hex') as entry_hash,
        s.seal_number, s.sealed_at, (e.entry_id % ${sql.lit(ENTRIES_PER_BATCH)})::integer as position, s.entries, s.root,
        s.seal_hash
      from entries_of_ids(${ids}::bigint[]) e join batches b on b.batch_id = e.entry_id / ${sql.lit(ENTRIES_PER_BATCH)}
      left join audit.seals s on s.batch_id = b.batch_id order by e.entry_id) s`.execute(db);
  const closedUntil = asOf ?? Number.POSITIVE_INFINITY;
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
    second_reports: stories(seconds.rows),
    seals: stories(seals.rows),
  };
}

/** Returns how many of a unit a book's price of it is for. */
function pricedTogetherOf(name: string) {
  const cases = FURTHER_UNITS.map((unit) => `when '${unit.name}' then ${pricedTogether(unit)}`);
  return sql.raw(`case ${name} ${cases.join(' ')} end`);
}

async function entryIdsOf(
  database: Database,
  of: { readonly source: string; readonly eventId: string; readonly at: string },
): Promise<readonly string[]> {
  const { rows } = await byEventId(database, (transaction) =>
    sql<{ entry_id: bigint }>`
      with found as materialized (
        select e.entry_id, e.recorded_at from entries e where ${isOfEvent('e', of)}
      )
      select entry_id from found where recorded_at <= ${of.at} order by entry_id`.execute(
      transaction.kysely,
    ),
  );
  return rows.map((row) => String(row.entry_id));
}

/** The index that knows events tells blocks, not rows, and the planner thinks too little of it. */
function byEventId<Result>(
  database: Database,
  ask: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  return inTransaction(database, async (transaction) => {
    await transaction.client.query(
      'set local enable_seqscan = off; set local max_parallel_workers_per_gather = 0',
    );
    return ask(transaction);
  });
}

/**
 * Every key begins with the tenant, whom nobody says here, and would be asked once for each tenant. So what is compared
 * is no column of a key: the hash finds the blocks, and the texts tell the event from others in them.
 */
function isOfEvent(
  alias: 'e' | 's',
  { source, eventId }: { readonly source: string; readonly eventId: string },
) {
  const [id, from] = [sql.ref(`${alias}.event_id`), sql.ref(`${alias}.source`)];
  return sql`hashtextextended(${id}, 0) = hashtextextended(${eventId}, 0)
    and ${id} || '' = ${eventId} and ${from} || '' = ${source}`;
}

/** Everything that was ever recorded. */
const EVER = 'infinity';
