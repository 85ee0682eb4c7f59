import type { Transaction } from '../../database/database.ts';
import { entriesOfBatch } from '../../database/entries-of-batch.ts';
import type { AttributionTags } from '../../events/event.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { lookUpEntries } from '../entries/entry-store.ts';
import { IS_BARE, IS_NOBODYS, STANDS_AS_REPORTED } from '../posting/other-reports-store.ts';
import { REPORT_JOINER } from './finer-counts.ts';
import { MOST_OF_A_SPAN, MOST_STEPS_DEEP } from './nesting.ts';

/** A call without a tenant, and the tags of the spans around it, the nearest first. */
export interface UntaggedCall {
  readonly entry: StoredEntry;
  readonly around: readonly AttributionTags[];
}

/** Real nesting is a handful of spans deep; the limits keep hostile traces from costing more than they are worth. */
const MOST_BELOW = 1_000;

const IS_UNTAGGED = `${IS_NOBODYS} and o.revision = 0 and o.member_id = ''
      and o.trace_id is not null and o.parent_span_id is not null`;
/** A call that names no answer is found by its span. */
const IS_AROUND = `${IS_BARE} and o.span_id is not null and ${STANDS_AS_REPORTED}`;
/** One that names its answer may have tags around it, too, as long as it is nobody's: its event is found by its id. */
const IS_PASSED = `(${IS_BARE} or ${IS_NOBODYS}) and o.span_id is not null and ${STANDS_AS_REPORTED}`;
/** What an index of few or of tenants holds is asked outside: else that index is read whole, as in `readAnsweredAround`. */
const OF_BATCHES = `select e.* from unnest($1::bigint[]) batch(batch_id) ${entriesOfBatch('o.trace_id is not null')}`;
/** The program that gives calls the tags of the spans around them; no person's name. */
export const INHERITOR = 'spanledger:tags';
/** Of one that a person gave to a tenant nobody knows whether what lies around it still says whose the calls within it are. */
const IS_MOVED = `exists (select from corrections_of(o.entry_id) c
              where not c.is_reversal and c.tenant_id <> '${UNATTRIBUTED}' and c.actor <> '${INHERITOR}')`;
const OF_ANSWERED = `select * from entries_of_event('${UNATTRIBUTED}', r.source, r.trace_id || ':' || r.at)`;

/**
 * Reads the calls without a tenant that these batches brought or lie within spans that they brought, as far as
 * they still stand so, with what lies around them. OFFSET 0 keeps what lies within a span a look-up by that span: the
 * index of spans that lie around others holds all that is asked for, too, and could be read whole each time.
 */
export async function readUntaggedCalls(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<readonly UntaggedCall[]> {
  const { rows } = await transaction.client.query<EnclosingRow>({
    name: 'read-untagged',
    text: `with recursive below as (
        select s.trace_id, s.span_id as at, 0 as steps from spans_of_batches($1::bigint[]) s
        where s.span_id is not null and s.trace_id is not null
        union
        select o.trace_id, o.span_id, 0 from (${OF_BATCHES}) o where ${IS_PASSED}
        union
        select b.trace_id, s.span_id, b.steps + 1 from below b cross join lateral (
          (select s.span_id from spans_within_span(b.at) s
            where s.trace_id = b.trace_id
              and s.span_id is not null and s.parent_span_id is not null limit ${MOST_OF_A_SPAN})
          union all
          (select o.span_id from (
              select * from entries_within_span(b.at) o
              where o.trace_id = b.trace_id and ${STANDS_AS_REPORTED} offset 0) o
            where ${IS_PASSED} limit ${MOST_OF_A_SPAN})) s
        where b.steps < ${MOST_STEPS_DEEP}
      ), nobodys as materialized (
        select o.entry_id, o.source, o.trace_id, o.parent_span_id from (${OF_BATCHES}) o where ${IS_UNTAGGED}
        union
        select o.entry_id, o.source, o.trace_id, o.parent_span_id
        from (select distinct trace_id, at from below limit ${MOST_BELOW}) b cross join lateral (
          select o.entry_id, o.source, o.trace_id, o.parent_span_id from entries_within_span(b.at) o
          where o.trace_id = b.trace_id and o.status = 'ok'
            and ${IS_UNTAGGED} limit ${MOST_OF_A_SPAN}) o
      ), risen as (
        select s.entry_id, n.source, n.trace_id, n.parent_span_id as at, 0 as steps, null::text collate "C" as tenant_id,
          null::text as user_id, null::text as feature, null::text as agent_run_id, null::text as prompt_version
        -- What was counted anew since is nobody's still; what a person corrected is as that one said.
        from nobodys n cross join lateral (
          with recursive chain as (
            select n.entry_id
            union all
            select r.entry_id from chain c cross join lateral (
              select * from corrections_of(c.entry_id)
              where not is_reversal and actor = '${REPORT_JOINER}') r
          )
          select c.entry_id from chain c
          where not exists (select from corrections_of(c.entry_id)) limit 1) s
        union all
        select r.entry_id, r.source, r.trace_id, p.parent_span_id, r.steps + 1, p.tenant_id, p.user_id, p.feature,
          p.agent_run_id, p.prompt_version
        from risen r cross join lateral (
          (select s.parent_span_id, s.tenant_id, s.user_id, s.feature, s.agent_run_id, s.prompt_version
            from spans_of_span(r.at) s
            where s.trace_id = r.trace_id and s.span_id is not null limit 1)
          union all
          (select o.parent_span_id, o.tenant_id, o.user_id, o.feature, o.agent_run_id, o.prompt_version
            from entries_of_span(r.at) o where o.trace_id = r.trace_id and ${IS_AROUND} limit 1)
          union all
          (select o.parent_span_id, o.tenant_id, o.user_id, o.feature, o.agent_run_id, o.prompt_version
            from (${OF_ANSWERED} offset 0) o
            where o.member_id = '' and o.trace_id = r.trace_id and o.span_id = r.at and ${IS_PASSED}
              and not ${IS_MOVED} limit 1)
          limit 1) p
        where r.steps < ${MOST_STEPS_DEEP}
      )
      select entry_id, nullif(tenant_id, '${UNATTRIBUTED}') as tenant_id, user_id, feature, agent_run_id,
        prompt_version
      from risen where steps > 0 order by entry_id, steps`,
    values: [batchIds],
  });
  const tagged = [...Map.groupBy(rows, ({ entry_id }) => entry_id)].filter(([, around]) =>
    around.some(({ tenant_id }) => tenant_id !== null),
  );
  if (tagged.length === 0) return [];
  const entryOf = await lookUpEntries(
    transaction,
    tagged.map(([entryId]) => entryId),
  );
  return tagged.map(([entryId, around]) => ({
    entry: entryOf(entryId),
    around: around.map(tagsOf),
  }));
}

interface EnclosingRow {
  readonly entry_id: bigint;
  readonly tenant_id: string | null;
  readonly user_id: string | null;
  readonly feature: string | null;
  readonly agent_run_id: string | null;
  readonly prompt_version: string | null;
}

function tagsOf(row: EnclosingRow): AttributionTags {
  return {
    tenantId: row.tenant_id,
    userId: row.user_id,
    feature: row.feature,
    agentRunId: row.agent_run_id,
    promptVersion: row.prompt_version,
  };
}
