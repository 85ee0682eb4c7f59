import type { ActParts } from '../../parts.ts';
import type { EntryChange } from '../reversals/correction.ts';
import { foldPosted } from '../rollups/fold-batches.ts';
import type { ChangeGiven, CorrectionAnswer, CorrectRequest } from './correction-answer.ts';
import { foreseeCorrections, postCorrections } from './post-corrections.ts';

/** Takes an entry back and, unless it is void, replaces it (R13); then folds both into the rollups. */
export async function correctEntry(
  parts: ActParts,
  { entry_id: entryId, change, dry_run: dryRun = false, reason, actor }: CorrectRequest,
): Promise<CorrectionAnswer> {
  const { database, clock } = parts;
  const correction = {
    entryId,
    change: change === null ? null : toChange(change),
    note: { reason, actor },
  };
  const [answer] = await (dryRun ? foreseeCorrections : postCorrections)(database, clock, [
    correction,
  ]);
  if (answer === undefined) throw new Error('a correction that was posted has an answer');
  if (!dryRun) await foldPosted(parts);
  return answer;
}

/** The names of the change in code, for each name in a request. */
const FIELDS: Readonly<Record<keyof ChangeGiven, keyof EntryChange>> = {
  tenant_id: 'tenantId',
  user_id: 'userId',
  feature: 'feature',
  agent_run_id: 'agentRunId',
  prompt_version: 'promptVersion',
  status: 'status',
  requested_model: 'requestedModel',
  executed_model: 'executedModel',
  provider: 'provider',
  service_tier: 'serviceTier',
  uncached_input_tokens: 'uncachedInputTokens',
  cache_read_tokens: 'cacheReadTokens',
  cache_write_tokens: 'cacheWriteTokens',
  output_tokens: 'outputTokens',
  units: 'units',
};

export function toChange(given: ChangeGiven): EntryChange {
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    fields.map(([name, value]) => [FIELDS[name as keyof ChangeGiven], value]),
  );
}
