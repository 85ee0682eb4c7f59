import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { refuseUnknownTenant } from '../tenants/asked-tenant.ts';
import type { CountsAnswer, CountsRequest, CountsRow, CountsTotal } from './counts-answer.ts';
import { type CountsGroup, readCounts } from './counts-store.ts';
import { percentOf } from './percent.ts';

/**
 * Reports how sure the counts of calls are (R5): whose producer leaves a count in doubt, or estimates it, and what was
 * charged by that. It decides nothing: a count that is wrong is put right by a correction.
 */
export async function reportCounts(
  { database }: Pick<Parts, 'database'>,
  request: CountsRequest,
): Promise<CountsAnswer> {
  await refuseUnknownTenant({ database }, request.tenant_id);
  const groups = await readCounts(database, request);
  return {
    by: request.by,
    rows: groups.map((group) => toRow(group, request.by)),
    totals: totalsOf(groups),
  };
}

function toRow(group: CountsGroup, by: CountsRequest['by']): CountsRow {
  const named = by.map((name, index) => [name, group.dimensions[index] ?? null] as const);
  return {
    ...Object.fromEntries(named),
    ...sumsOf(group, [group]),
    first_entry_id: `ent_${group.first_entry_id}`,
  };
}

function totalsOf(groups: readonly CountsGroup[]): readonly CountsTotal[] {
  const byCurrency = Map.groupBy(groups, ({ currency }) => currency);
  return [...byCurrency].flatMap(([, own]) => {
    const all = sumOf(own, ({ entries }) => entries);
    const bySource = Map.groupBy(own, ({ usage_source }) => usage_source);
    return [...bySource.values()].flatMap((of) => {
      const [first] = of;
      if (first === undefined) return [];
      const entries = sumOf(of, (group) => group.entries);
      return [{ ...sumsOf(first, of), share: percentOf(entries, all) ?? '0.00' }];
    });
  });
}

function sumsOf(
  { usage_source, currency }: CountsGroup,
  groups: readonly CountsGroup[],
): Omit<CountsTotal, 'share'> {
  return {
    usage_source,
    currency,
    entries: Number(sumOf(groups, ({ entries }) => entries)),
    input_tokens: String(sumOf(groups, (group) => group.input_tokens)),
    output_tokens: String(sumOf(groups, (group) => group.output_tokens)),
    charge: formatPico(sumOf(groups, ({ charge }) => charge)),
    entries_without_charge: Number(sumOf(groups, (group) => group.without_charge)),
  };
}

function sumOf(groups: readonly CountsGroup[], of: (group: CountsGroup) => bigint): bigint {
  return groups.reduce((all, group) => all + of(group), 0n);
}
