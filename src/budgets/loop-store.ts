import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { AskedCall } from './hold-store.ts';

/** Whether a budget of the tenant guards runs against loops. */
export async function guardsRuns(database: Database, tenantId: string): Promise<boolean> {
  const { rows } = await database.pool.query<{ guards: boolean }>({
    name: 'guards-runs',
    text: 'select exists (select from budgets where tenant_id = $1 and loop is not null) as guards',
    values: [tenantId],
  });
  return rows[0]?.guards === true;
}

/** What was asked for the run so far, the newest first: the input and the output that each call may come to. */
interface RunCall {
  readonly tokens: bigint | null;
}

/** A run that pauses for longer than this begins anew. */
const LOOKED_BACK_MS = 24 * 60 * 60 * 1000;

/**
 * Counts how many calls of the run were reserved one after the other for the same model and
 * feature, each with more tokens than the one before, the asked call included: the loop of a report
 * of runs, seen before the call is made.
 */
export async function countRepetitions(
  database: Database,
  call: AskedCall,
  most: number,
): Promise<number> {
  const { tokens } = call.estimate;
  if (call.agentRunId === null || tokens === null) return 1;
  const { rows } = await database.pool.query<RunCall>({
    name: 'last-calls-of-run',
    text: `select tokens from budget_holds
      where tenant_id = $1 and agent_run_id = $2 and held_at >= $3 and held_at < $4
        and model is not distinct from $5 and feature is not distinct from $6
      order by held_at desc, hold_id limit $7`,
    values: [
      ...[call.tenantId, call.agentRunId, since(call.from), formatInstant(call.from)],
      ...[call.model, call.feature, most],
    ],
  });
  let [count, next] = [1, tokens];
  for (const { tokens: before } of rows) {
    if (before === null || before >= next) break;
    count += 1;
    next = before;
  }
  return count;
}

function since(from: InstantMs): string {
  return formatInstant(from - LOOKED_BACK_MS);
}
