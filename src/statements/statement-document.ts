import { exactPico, formatPico } from '../money.ts';
import type { Statement } from './statement.ts';
import type { DailyUsage, StatementCorrection, StatementDocument } from './statement-answer.ts';

/** Throws when the days and the adjustments, which no day caused, do not add up: a chart that contradicts the total must reach nobody. */
export function withEntries(
  statement: Statement,
  {
    daily,
    corrections,
  }: {
    readonly daily: readonly DailyUsage[];
    readonly corrections: readonly StatementCorrection[];
  },
): StatementDocument {
  const adjustments = [...statement.lines, ...statement.late_lines].filter(
    ({ meter }) => meter === 'adjustment',
  );
  const amounts = [...daily.map(({ charge }) => charge), ...adjustments.map(({ exact }) => exact)];
  const sum = amounts.reduce((total, amount) => total + exactPico(amount), 0n);
  if (sum !== exactPico(statement.exact.charge)) {
    throw new Error(
      `the days of ${statement.tenant_id} from ${statement.period.start} add up to ${formatPico(sum)}, but its entries to ${statement.exact.charge}; verify the ledger`,
    );
  }
  return { ...statement, corrections, daily };
}
