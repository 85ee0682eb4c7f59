import type { LineMeter, ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { exactPico, formatPico, type Pico } from '../money.ts';
import type { Beside } from './beside/beside-store.ts';
import type { Statement } from './statement.ts';
import type { StatementDocument } from './statement-answer.ts';

/**
 * The statement with what is read beside its manifest. Throws when days, features or users do not add up: a chart or
 * a table that contradicts the total must reach nobody.
 */
export function withEntries(
  statement: Statement,
  { cached, taken_back_elsewhere, ...beside }: Beside & Pick<StatementDocument, 'daily' | 'issuer'>,
): StatementDocument {
  const lines = [...statement.lines, ...statement.late_lines];
  const charged = sumExact(lines.filter(isUsageLine));
  const shared = sumExact(lines.filter(({ meter }) => meter === 'allocation'));
  // No day caused an adjustment, and no feature or user a share of a pool.
  requireSum(statement, 'days', {
    found: beside.daily.reduce((sum, { charge }) => sum + exactPico(charge), 0n),
    due: charged + shared,
  });
  requireSum(statement, 'features', { found: sumExact(beside.features), due: charged });
  requireSum(statement, 'users', { found: sumExact(beside.users), due: charged });
  const usage = { ...usageOf(statement, taken_back_elsewhere), cached: Math.max(0, cached) };
  const notes = [...cachedNotes(statement, usage.cached), ...statement.notes];
  return { ...statement, usage, notes, ...beside };
}

/** A customer who sees fewer calls at the provider's is told why, and what it means for the price. */
function cachedNotes({ price_books: books }: Statement, cached: number): readonly string[] {
  if (cached === 0) return [];
  const [count, were] = [cached.toLocaleString('en-US'), cached === 1 ? 'call was' : 'calls were'];
  const [caching, ...others] = new Set(books.map((book) => book.caching));
  const price =
    caching === undefined || others.length > 0
      ? 'its price book says whether that is charged'
      : caching === 'work_done'
        ? 'charged like any other'
        : 'not charged';
  return [`${count} ${were} answered from a cache, without a new call to the provider: ${price}.`];
}

/** Usage of an earlier period that is taken back changes the money here, but not how many calls this period had. */
function usageOf({ usage }: Statement, takenBackElsewhere: number): Statement['usage'] {
  const count = (calls: number) => Math.max(0, calls);
  return {
    ...usage,
    calls: count(usage.calls + takenBackElsewhere),
    failed: count(usage.failed),
    cancelled: count(usage.cancelled),
  };
}

const NO_USAGE: ReadonlySet<LineMeter> = new Set([
  ...(['allocation', 'adjustment', 'carried_in', 'carried_out'] as const),
]);

/** Tells whether calls stand behind a line, and not money alone. */
export function isUsageLine({ meter }: Pick<ManifestLine, 'meter'>): boolean {
  return !NO_USAGE.has(meter);
}

function requireSum(
  { tenant_id: tenantId, period }: Statement,
  what: string,
  { found, due }: { readonly found: Pico; readonly due: Pico },
): void {
  if (found === due) return;
  throw new Error(
    `the ${what} of ${tenantId} from ${period.start} add up to ${formatPico(found)}, but its entries to ${formatPico(due)}; verify the ledger`,
  );
}

function sumExact(of: readonly { readonly exact: string }[]): Pico {
  return of.reduce((sum, { exact }) => sum + exactPico(exact), 0n);
}
