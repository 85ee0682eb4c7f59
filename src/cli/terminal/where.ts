import { InvalidArgumentError } from 'commander';
import type { CorrectWhereRequest } from '../../ledger/corrections/bulk-answer.ts';

export type Where = CorrectWhereRequest['where'];

/** The fields by which entries are selected, as they are written at a terminal. */
const FIELDS = {
  tenant: 'tenant_id',
  model: 'requested_model',
  requested_model: 'requested_model',
  executed_model: 'executed_model',
  provider: 'provider',
  user: 'user_id',
  feature: 'feature',
  agent_run: 'agent_run_id',
  prompt_version: 'prompt_version',
  source: 'source',
  service_tier: 'service_tier',
  status: 'status',
  outcome: 'outcome',
} as const satisfies Readonly<Record<string, keyof Where>>;

export const WHERE_FIELDS = Object.keys(FIELDS).join(' ');

/** Tags that an entry may lack; an empty text selects those that do. */
const TAGS: ReadonlySet<string> = new Set([
  'user_id',
  'feature',
  'agent_run_id',
  'prompt_version',
  'provider',
]);

/** Reads `tenant=acme,model=gpt-4o`. A comma within a value stays, unless a field and = follow it. */
export function readWhere(text: string, before: Where = {}): Where {
  const where = { ...before };
  for (const [field, value] of text.split(/,(?=[a-z_]+=)/).map(readCondition)) {
    // All conditions hold at once, so that of two values of one field only the other would be believed.
    if (where[field] !== undefined) {
      throw new InvalidArgumentError(`${field} is named twice; correct one after the other.`);
    }
    Object.assign(where, { [field]: value });
  }
  return where;
}

function readCondition(part: string): readonly [keyof Where, string | null] {
  const [, name = '', value = ''] = /^([a-z_]+)=(.*)$/s.exec(part.trim()) ?? [];
  const field = Object.entries(FIELDS).find(([known]) => known === name)?.[1];
  if (field === undefined) {
    throw new InvalidArgumentError(
      `"${part}" is not a condition; write field=value, with a field of ${WHERE_FIELDS}.`,
    );
  }
  if (value !== '') return [field, value];
  if (TAGS.has(field)) return [field, null];
  throw new InvalidArgumentError(`every entry has a ${name}; say which.`);
}
