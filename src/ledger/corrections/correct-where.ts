import type { ActParts } from '../../parts.ts';
import { readTenant } from '../../tenants/tenant-store.ts';
import type { EntryChange } from '../reversals/correction.ts';
import { refuseUnfitChange, refuseUnfitNote } from '../reversals/correction.ts';
import type { MadeCorrection } from '../reversals/made-correction.ts';
import type { CorrectWhereAnswer, CorrectWhereRequest } from './bulk-answer.ts';
import { toChange } from './correct-entry.ts';
import type { Progress } from './correct-many.ts';
import { correctMany, spansOfMonth } from './correct-many.ts';
import { BulkDifference, keepsPrice, losesPrice } from './difference.ts';
import type { EntryCondition } from './standing-store.ts';

/**
 * Corrects every entry that stands and matches (R13), some in each transaction. What would change
 * nothing of an entry leaves it as it is, so doing it again finds what a crash left. A price is not
 * taken away unless that is asked for.
 */
export async function correctWhere(
  parts: ActParts,
  request: CorrectWhereRequest,
  progress?: Progress,
): Promise<CorrectWhereAnswer> {
  const { database } = parts;
  const { where, month, dry_run, unprice = false, reason, actor } = request;
  const change = request.change === null ? null : toChange(request.change);
  refuseUnfitNote(request);
  if (change !== null) refuseUnfitChange(change);
  const condition = conditionOf(where);
  if (condition.tenantId !== undefined) await readTenant(database.kysely, condition.tenantId);
  const spans =
    month === null ? null : await spansOfMonth(database, month, condition.tenantId ?? null);
  const difference = new BulkDifference();
  const isDue = (made: MadeCorrection) => isChanged(made, change) && (unprice || !losesPrice(made));
  const bulk = {
    entries: { condition, spans },
    change,
    note: { reason, actor },
    isDue,
    dryRun: dry_run,
    looked(all: readonly MadeCorrection[]) {
      for (const made of all) {
        if (isDue(made)) difference.add(made);
        if (isChanged(made, change) && losesPrice(made)) difference.addLosing(made);
        else if (made.replacement?.outcome === 'unrated') difference.addUnrated(made);
      }
    },
  };
  const examined = await correctMany(parts, bulk, progress);
  return { month, dry_run, examined, ...difference.answer() };
}

function conditionOf(where: CorrectWhereRequest['where']): EntryCondition {
  const { tenant_id, user_id, agent_run_id, prompt_version, requested_model, ...rest } = where;
  const { executed_model, service_tier, source, feature, provider, status, outcome } = rest;
  const condition = {
    tenantId: tenant_id,
    userId: user_id,
    agentRunId: agent_run_id,
    promptVersion: prompt_version,
    requestedModel: requested_model,
    executedModel: executed_model,
    serviceTier: service_tier,
    source,
    feature,
    provider,
    status,
    outcome,
  };
  const given = Object.entries(condition).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

/**
 * Tells whether a replacement would differ from its entry, in what is asked for or in its price.
 */
function isChanged(made: MadeCorrection, change: EntryChange | null): boolean {
  const { entry, replacement } = made;
  if (change === null || replacement === null) return true;
  const fields = Object.keys(change) as (keyof EntryChange)[];
  const isSame = (field: keyof EntryChange) =>
    JSON.stringify(entry[field]) === JSON.stringify(replacement[field]);
  return !fields.every(isSame) || !keepsPrice(made);
}
