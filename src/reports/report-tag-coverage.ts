import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { refuseUnknownTenant } from '../tenants/asked-tenant.ts';
import { percentOf } from './percent.ts';
import type { TagCoverage, TagCoverageAnswer, TagCoverageRequest } from './tag-coverage-answer.ts';
import { ATTRIBUTION_TAGS } from './tag-coverage-answer.ts';
import { readTagCoverage, type TagGroup } from './tag-coverage-store.ts';

/**
 * Reports how much of the cost carries each tag (R11), and of what does not, who sends it and why.
 */
export async function reportTagCoverage(
  { database }: Pick<Parts, 'database'>,
  request: TagCoverageRequest,
): Promise<TagCoverageAnswer> {
  await refuseUnknownTenant({ database }, request.tenant_id);
  const groups = await readTagCoverage(database, request);
  const currencies = [...new Set(groups.map(({ currency }) => currency))].sort();
  return currencies.flatMap((currency) =>
    ATTRIBUTION_TAGS.map((tag) =>
      toCoverage(
        groups.filter((group) => group.currency === currency && group.tag === tag),
        { tag, currency },
      ),
    ),
  );
}

function toCoverage(
  groups: readonly TagGroup[],
  of: Pick<TagCoverage, 'tag' | 'currency'>,
): TagCoverage {
  const tagged = groups.filter(({ reason }) => reason === null);
  const sum = (some: readonly TagGroup[], value: (group: TagGroup) => bigint) =>
    some.reduce((total, group) => total + value(group), 0n);
  const allCost = sum(groups, ({ cost }) => cost);
  const taggedCost = sum(tagged, ({ cost }) => cost);
  return {
    ...of,
    all_cost: formatPico(allCost),
    tagged_cost: formatPico(taggedCost),
    share: percentOf(taggedCost, allCost),
    entries: Number(sum(groups, ({ entries }) => entries)),
    tagged_entries: Number(sum(tagged, ({ entries }) => entries)),
    entries_without_cost: Number(sum(groups, ({ uncosted }) => uncosted)),
    missing: groups
      .flatMap((group) => (group.reason === null ? [] : [{ ...group, reason: group.reason }]))
      .filter(({ entries, cost }) => entries !== 0n || cost !== 0n)
      .sort((a, b) => dearerFirst(a, b))
      .map(({ source, reason, entries, cost, uncosted }) => ({
        source,
        reason,
        entries: Number(entries),
        cost: formatPico(cost),
        entries_without_cost: Number(uncosted),
      })),
  };
}

function dearerFirst(a: TagGroup, b: TagGroup): number {
  if (a.cost !== b.cost) return a.cost > b.cost ? -1 : 1;
  return a.source < b.source ? -1 : 1;
}
