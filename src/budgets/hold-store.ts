import { formatInstant, type InstantMs } from '../clock.ts';
import { UNSAID } from '../database/acting.ts';
import type { Database } from '../database/database.ts';
import type { Pico } from '../money.ts';

/** What was promised to one call, as statements here select it. */
export interface HoldRow {
  readonly hold_id: string;
  readonly tenant_id: string;
  readonly state: 'open' | 'settled' | 'released';
  readonly request_digest: Buffer;
  readonly model: string | null;
  readonly feature: string | null;
  readonly user_id: string | null;
  readonly agent_run_id: string | null;
  readonly amount: Pico | null;
  readonly currency: string | null;
  readonly tokens: bigint | null;
  readonly budget_ids: readonly string[];
  readonly held_at: InstantMs;
  readonly expires_at: InstantMs;
  readonly settled_source: string | null;
  readonly settled_event_id: string | null;
  readonly waits_source: string | null;
  readonly waits_event_id: string | null;
  readonly released_by: string | null;
}

const HOLD_COLUMNS = `hold_id, tenant_id, state, request_digest, model, feature, user_id, agent_run_id, amount, currency,
  tokens, budget_ids::text[], held_at, expires_at, settled_source, settled_event_id, waits_source,
  waits_event_id, released_by`;

export async function readHold(database: Database, holdId: string): Promise<HoldRow | null> {
  const { rows } = await database.pool.query<HoldRow>({
    name: 'read-hold',
    text: `select ${HOLD_COLUMNS} from budget_holds where hold_id = $1`,
    values: [holdId],
  });
  return rows[0] ?? null;
}

export async function countOpenHolds(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ open: bigint }>(
    `select count(*) as open from budget_holds where state = 'open'`,
  );
  return Number(rows[0]?.open ?? 0);
}

/** Holds that are open although their call is over, since its event did not come or waits for its charge; as of an instant, those that ended since, too. */
export async function readUnsettledHolds(
  database: Database,
  now: InstantMs,
  isAsOf = false,
): Promise<readonly HoldRow[]> {
  const { rows } = await database.pool.query<HoldRow>(
    `select ${HOLD_COLUMNS} from budget_holds where (state = 'open' or $2 and ended_at > $1) and expires_at <= $1
     order by tenant_id, expires_at, hold_id`,
    [formatInstant(now), isAsOf],
  );
  return rows.map((row) => ({
    ...row,
    state: 'open',
    settled_source: null,
    settled_event_id: null,
    released_by: null,
  }));
}

/** Reads the instant since which every hold that ended is kept; it is null while none has left. */
export async function readHoldsKeptSince(database: Database): Promise<InstantMs | null> {
  const { rows } = await database.pool.query<{ ended_since: InstantMs }>(
    'select ended_since from kept_holds',
  );
  return rows[0]?.ended_since ?? null;
}

/** Releases a hold that is open, and gives back what it held; any other stays as it is. */
export async function releaseOpenHold(
  database: Database,
  hold: {
    readonly holdId: string;
    /** It is null where whoever releases may speak for every tenant. */
    readonly tenantId: string | null;
    readonly actor: string;
    readonly at: InstantMs;
  },
): Promise<void> {
  await database.pool.query({
    name: 'release-hold',
    text: `${UNSAID} with released as (
        update budget_holds set state = 'released', ended_at = $2, released_by = $3
        where hold_id = $1 and state = 'open' and tenant_id = coalesce($4, tenant_id)
        returning budget_ids, time_keys, amounts
      ), counted as materialized (
        select c.budget_id, c.time_key, u.amount
        from released cross join lateral unnest(budget_ids, time_keys, amounts) u(budget_id, time_key, amount)
        join budget_counters c on c.budget_id = u.budget_id and c.time_key = u.time_key
        order by c.budget_id, c.time_key for update of c
      )
      update budget_counters c set held = c.held - n.amount from counted n
      where c.budget_id = n.budget_id and c.time_key = n.time_key`,
    values: [hold.holdId, formatInstant(hold.at), hold.actor, hold.tenantId],
  });
}
