import type { InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { advise } from '../remedy.ts';
import { readStandingCredits, readWaitingDue } from './left-owed-store.ts';
import { assignedBook } from './tenant.ts';
import type { LeftOwed, SetTenantAnswer } from './tenant-answer.ts';
import { readCreditsInOthers, readTenants } from './tenant-store.ts';

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
      detail: leftWords({ amount, former, periodStart: credit.periodStart, currency }),
      // An adjustment is made in the currency of the book that holds at the time.
      remedy:
        from > at
          ? advise`if nobody settled it yet, pay it back, and record that above zero with ${{ operation: 'adjust' }} in the last period that it pays in ${former}; or credit what it is worth in ${currency} with ${{ operation: 'adjust' }} once it pays in that`
          : advise`if nobody settled it yet, credit what it is worth in ${currency} with ${{ operation: 'adjust' }}`,
    };
  });
}

/**
 * Lists what is owed to tenants in another currency than that of the book by which they pay now, until it is credited
 * in that one. It reads the rollups, so they are folded before.
 */
export async function listLeftOwed({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<readonly LeftOwed[]> {
  const credits = await readStandingCredits(database.kysely, null);
  if (credits.length === 0) return [];
  const at = clock();
  const catalog = await loadPriceCatalog(database.kysely);
  const ids = [...new Set(credits.map(({ tenant_id: id }) => id))];
  const known = await readTenants(database.kysely, ids);
  const books = new Map(known.map((of) => [of.tenantId, assignedBook(of, catalog, at)]));
  return credits.flatMap(({ tenant_id, currency: former, period_start, carried_out }) => {
    const currency = books.get(tenant_id)?.currency ?? former;
    if (currency === former) return [];
    const amount = formatPico(-carried_out);
    return [
      {
        tenant_id,
        period_start,
        amount,
        currency: former,
        detail: leftWords({ amount, former, periodStart: period_start, currency }),
        remedy: advise`credit what it is worth in ${currency} with ${{ operation: 'adjust' }}, of which a part is enough where somebody paid the rest back; it is named until then`,
      },
    ];
  });
}

/**
 * Lists what is due of months that were billed and no period bills or credits as long as nothing changes: of tenants in
 * shadow, and in a currency in which its tenant pays no more. What is owed in such a one is in `listLeftOwed`.
 */
export async function listWaitingDue({
  database,
  clock,
}: Pick<Parts, 'database' | 'clock'>): Promise<readonly LeftOwed[]> {
  const waiting = await readWaitingDue(database.kysely);
  if (waiting.length === 0) return [];
  const at = clock();
  const catalog = await loadPriceCatalog(database.kysely);
  const known = await readTenants(
    database.kysely,
    waiting.map(({ tenant_id: id }) => id),
  );
  const books = new Map(known.map((of) => [of.tenantId, assignedBook(of, catalog, at)]));
  const left = new Set(known.flatMap((of) => (of.leftAt === null ? [] : [of.tenantId])));
  return waiting.flatMap(({ tenant_id, mode, currency, period_start, amount: pico }) => {
    const pays = books.get(tenant_id)?.currency ?? currency;
    const hasLeft = left.has(tenant_id);
    // What is owed to one who left is named with those who left, since no bill takes it off any more.
    const isAwaited = mode === 'live' && !(hasLeft && pico > 0n);
    if (pays === currency ? isAwaited : pico < 0n) return [];
    const amount = formatPico(pico);
    const what =
      pico > 0n
        ? `${amount} ${currency} of months that were billed is due and on no bill`
        : `${formatPico(-pico)} ${currency} of months that were billed is owed to it and credited by no bill`;
    const of = { tenant_id, period_start, amount, currency };
    const live = { operation: 'tenant set', tenant_id, give: null, from: null } as const;
    const adjust = { operation: 'adjust' } as const;
    if (pays !== currency) {
      return {
        ...of,
        detail: `${what}: no period in ${pays} takes it in`,
        remedy: advise`charge what it is worth in ${pays} with ${adjust}`,
      };
    }
    return {
      ...of,
      detail: `${what}: it has waited since its period from ${period_start} for one in live mode`,
      remedy: hasLeft
        ? advise`it has left, so that no period follows by itself: set it live with ${live}, and begin one with ${adjust}, whose close bills this, too`
        : advise`set it live again with ${live}; where you bill it elsewhere, take it off with ${adjust} of the other sign before its next close`,
    };
  });
}

function leftWords(of: {
  readonly amount: string;
  readonly former: string;
  readonly periodStart: string;
  /** In which the tenant pays instead. */
  readonly currency: string;
}): string {
  const { amount, former, periodStart, currency } = of;
  return `${amount} ${former} more was credited to it than charged until its period from ${periodStart}, and no period in ${currency} takes that in`;
}
