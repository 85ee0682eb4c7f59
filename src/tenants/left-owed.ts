import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { formatPico } from '../money.ts';
import { advise } from '../remedy.ts';
import type { SetTenantAnswer } from './tenant-answer.ts';
import { readCreditsInOthers } from './tenant-store.ts';

interface GivenBook {
  readonly currency: string;
  /** When the book begins to hold. */
  readonly from: InstantMs;
  readonly at: InstantMs;
}

/**
 * Names what was credited to a tenant beyond its usage in another currency than the book's that it is given.
 * A remainder is carried on in its own currency alone (R15), and no act in another one ends it.
 */
export async function nameLeftOwed(
  transaction: Transaction,
  tenantId: string,
  given: GivenBook,
): Promise<SetTenantAnswer['left_owed']> {
  const { currency, from, at } = given;
  const credits = await readCreditsInOthers(transaction, tenantId, currency);
  return credits.map((credit) => {
    const { currency: former } = credit;
    const amount = formatPico(-credit.carriedOut);
    return {
      amount,
      currency: former,
      detail: `${amount} ${former} more was credited to it than charged until its period from ${credit.periodStart}, and no period in ${currency} takes that in`,
      // An adjustment is made in the currency of the book that holds at the time.
      remedy:
        from > at
          ? advise`if nobody settled it yet, pay it back, and record that above zero with ${{ operation: 'adjust' }} in the last period that it pays in ${former}; or credit what it is worth in ${currency} with ${{ operation: 'adjust' }} once it pays in that`
          : advise`if nobody settled it yet, credit what it is worth in ${currency} with ${{ operation: 'adjust' }}`,
    };
  });
}
