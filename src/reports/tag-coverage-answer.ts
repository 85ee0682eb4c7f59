import { z } from 'zod';
import { amountField, listOf, percentField } from '../fields.ts';
import { reportScope } from './report-scope.ts';

/** The tags by which a call is attributed. */
export const ATTRIBUTION_TAGS = [
  'tenant',
  'user',
  'feature',
  'agent_run',
  'prompt_version',
] as const;
export type AttributionTag = (typeof ATTRIBUTION_TAGS)[number];

/**
 * Why a tag is not there. `nothing_tagged`: the call carries none of the five, so its producer is not set up for any.
 * `tag_missing`: it carries others. `member_untagged`: a member of a batched request without it. `shared_cost`: a share
 * of a pool, which has no call behind it.
 */
const MISSING_REASONS = [
  'nothing_tagged',
  'tag_missing',
  'member_untagged',
  'shared_cost',
] as const;

export const tagCoverageRequest = z.strictObject({
  ...reportScope,
});
export type TagCoverageRequest = z.output<typeof tagCoverageRequest>;

const missing = z.strictObject({
  source: z.string(),
  reason: z.enum(MISSING_REASONS),
  entries: z.int(),
  cost: amountField,
  entries_without_cost: z.int(),
});
export type MissingTag = z.infer<typeof missing>;

/** One tag in one currency. */
const tagCoverage = z.strictObject({
  tag: z.enum(ATTRIBUTION_TAGS),
  currency: z.string(),
  /** The known cost, and what of it has the tag. */
  all_cost: amountField,
  tagged_cost: amountField,
  /** It is null where no cost is known, so that nothing can be said. */
  share: percentField.nullable(),
  entries: z.int(),
  tagged_entries: z.int(),
  /** Entries whose cost nobody knows, which stand in no share. */
  entries_without_cost: z.int(),
  /** The usage without the tag, by sender and reason, most expensive first. */
  missing: listOf(missing),
});
export type TagCoverage = z.infer<typeof tagCoverage>;

export const tagCoverageAnswer = listOf(tagCoverage);
export type TagCoverageAnswer = z.infer<typeof tagCoverageAnswer>;
