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
  beside: Beside & Pick<StatementDocument, 'daily' | 'issuer'>,
): StatementDocument {
  const lines = [...statement.lines, ...statement.late_lines];
  const usage = sumExact(lines.filter(isUsageLine));
  const shared = sumExact(lines.filter(({ meter }) => meter === 'allocation'));
  // No day caused an adjustment, and no feature or user a share of a pool.
  requireSum(statement, 'days', {
    found: beside.daily.reduce((sum, { charge }) => sum + exactPico(charge), 0n),
    due: usage + shared,
  });
  requireSum(statement, 'features', { found: sumExact(beside.features), due: usage });
  requireSum(statement, 'users', { found: sumExact(beside.users), due: usage });
  return { ...statement, usage: usageOf(statement, beside), ...beside };
}

/** What is taken back of an earlier period changes its money here, and not how many calls this period had. */
function usageOf({ usage }: Statement, { corrections }: Beside): Statement['usage'] {
  const takenBack = corrections
    .filter(({ late }) => late)
    .reduce((sum, correction) => sum + correction.taken_back - correction.replaced, 0);
  const count = (calls: number) => Math.max(0, calls);
  return {
    ...usage,
    calls: count(usage.calls + takenBack),
    failed: count(usage.failed),
    cancelled: count(usage.cancelled),
  };
}

const NO_USAGE: ReadonlySet<LineMeter> = new Set([
  ...(['allocation', 'adjustment', 'carried_in', 'carried_out'] as const),
]);

/** Whether calls stand behind a line, and not money alone. */
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
