import { formatDecimal } from '../money.ts';
import type { Parts } from '../parts.ts';
import type { UnsettleAnswer, UnsettleRequest } from '../push/unsettle-answer.ts';
import { unsettlePeriod } from '../push/unsettle-period.ts';
import { findExplainedBy } from './meters/billed-beyond.ts';

/**
 * Takes back what was recorded as settled by mistake. Where it says what a final invoice bills of the period beyond the
 * record, it stays: else the next push would bill that usage once more. Stripe is not asked here.
 */
export async function unsettleMonth(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: UnsettleRequest,
): Promise<UnsettleAnswer> {
  return unsettlePeriod(
    {
      database,
      clock,
      async findReliance(target, { valueMicro, identifier }) {
        const explained = await findExplainedBy(database, target, valueMicro);
        if (explained === null) return null;
        const { invoiceIds, billed, told } = explained;
        const micro = (sum: bigint) => `${formatDecimal(sum, 6)} ${target.currency}`;
        return {
          fault: `final invoices of this period (${invoiceIds.join(', ')}) bill ${micro(billed)} of the meter, of which ${micro(told)} is on record as told there, and ${identifier} says that the rest is this usage`,
          remedy: [
            'void those invoices in Stripe first, where they bill something else; what was credited of them is billed anew by an invoice of your own',
          ],
        };
      },
    },
    request,
  );
}
