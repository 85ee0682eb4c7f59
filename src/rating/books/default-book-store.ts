import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database, Transaction } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import type { DefaultBookAnswer, DefaultBookRequest } from './price-book-answer.ts';
import type { DefaultBook } from './price-catalog.ts';

/**
 * Names the book that a tenant without one of its own pays by, from an instant on (R15). What is posted keeps
 * its price.
 */
export async function saveDefaultBook(
  database: Database,
  request: DefaultBookRequest,
  at: InstantMs,
): Promise<DefaultBookAnswer> {
  const { book, from } = request;
  return inTransaction(database, async (transaction) => {
    await lockDefaults(transaction);
    const currency = await requireChargeBook(transaction, book);
    const defaults = await readDefaultBooks(transaction.kysely);
    const begin = from ?? (defaults.length === 0 ? Number.NEGATIVE_INFINITY : at);
    const before = defaults.find(({ effectiveFrom }) => effectiveFrom <= begin)?.book ?? null;
    await refuseOtherCurrency(transaction, { book, currency, from: begin });
    if (before !== book) await insertDefault(transaction, { book, from: begin, at });
    const effective_from = Number.isFinite(begin) ? formatInstant(begin) : null;
    const next = defaults.findLast(({ effectiveFrom }) => effectiveFrom > begin) ?? null;
    const followed_by =
      next === null ? null : { book: next.book, effective_from: formatInstant(next.effectiveFrom) };
    return { book, currency, effective_from, before, followed_by };
  });
}

/** Reads every default book with its date, newest first; one that holds since ever is last. */
export async function readDefaultBooks(db: Kysely<Tables>): Promise<readonly DefaultBook[]> {
  const { rows } = await sql<{ since: InstantMs | null; book: string }>`
    select case when effective_from > '-infinity' then effective_from end as since, book
    from default_price_books order by effective_from desc`.execute(db);
  return rows.map(({ since, book }) => ({
    effectiveFrom: since ?? Number.NEGATIVE_INFINITY,
    book,
  }));
}

/** Names a default since ever where there is none yet; answers whether it did. */
export async function nameFirstDefault(
  transaction: Transaction,
  book: string,
  at: InstantMs,
): Promise<boolean> {
  await lockDefaults(transaction);
  const { rowCount } = await transaction.client.query(
    `insert into default_price_books (effective_from, book, named_at)
     select '-infinity', $1, $2 where not exists (select 1 from default_price_books)`,
    [book, formatInstant(at)],
  );
  return rowCount === 1;
}

/** Two that name a default at once would each see the other's missing. */
async function lockDefaults(transaction: Transaction): Promise<void> {
  await transaction.client.query(
    `select pg_advisory_xact_lock(hashtextextended('default-book', 0))`,
  );
}

/** Names the default from an instant on; one that was named from that very instant gives way. */
async function insertDefault(
  transaction: Transaction,
  { book, from, at }: { readonly book: string; readonly from: InstantMs; readonly at: InstantMs },
): Promise<void> {
  await transaction.client.query(
    `insert into default_price_books (effective_from, book, named_at) values ($1, $2, $3)
     on conflict (effective_from) do update set book = excluded.book, named_at = excluded.named_at`,
    [formatInstant(from), book, formatInstant(at)],
  );
}

/** Reads the kind and the currency of a price book; null where there is none of that name. */
async function readBookNature(
  transaction: Transaction,
  book: string,
): Promise<{ readonly kind: 'charge' | 'cost'; readonly currency: string } | null> {
  const known = await transaction.kysely
    .selectFrom('price_books')
    .select(['kind', 'currency'])
    .where('book', '=', book)
    .limit(1)
    .executeTakeFirst();
  return known ?? null;
}

/**
 * A tenant without a book of its own whose charges in another currency would stay beside those of a default
 * from an instant on; null where there is none.
 */
async function readTenantOfOtherCurrency(
  transaction: Transaction,
  currency: string,
  from: InstantMs,
): Promise<{ readonly tenantId: string; readonly currency: string } | null> {
  const { rows } = await transaction.client.query<{ tenant_id: string; currency: string }>(
    `select r.tenant_id, r.currency from usage_rollups r
     where r.currency <> $1 and r.charge <> 0
       -- What stands in an open period from then on can be re-rated.
       and (r.day < $2::timestamptz::date or exists (
         select 1 from periods p where p.tenant_id = r.tenant_id and p.period_start = r.period_start and p.state <> 'open'))
       and not exists (select 1 from tenant_price_books b where b.tenant_id = r.tenant_id)
     group by r.tenant_id, r.period_start, r.currency having sum(r.charge) <> 0
     order by r.tenant_id limit 1`,
    [currency, formatInstant(from)],
  );
  const row = rows[0];
  return row === undefined ? null : { tenantId: row.tenant_id, currency: row.currency };
}

/** The currency of a book that a tenant may be charged by; throws a `Refusal` where there is none of that name. */
export async function requireChargeBook(transaction: Transaction, book: string): Promise<string> {
  const known = await readBookNature(transaction, book);
  if (known?.kind === 'charge') return known.currency;
  throw new Refusal(
    known === null ? 'not_found' : 'conflict',
    known === null
      ? `there is no price book "${book}"`
      : `"${book}" is a cost book; a tenant is charged by a charge book`,
    advise`see ${{ operation: 'price-book list' }}, or import it first`,
  );
}

/** One period has one currency, and so has a tenant that pays by the default. */
async function refuseOtherCurrency(
  transaction: Transaction,
  {
    book,
    currency,
    from,
  }: { readonly book: string; readonly currency: string; readonly from: number },
): Promise<void> {
  const other = await readTenantOfOtherCurrency(transaction, currency, from);
  if (other === null) return;
  throw new Refusal(
    'conflict',
    `tenant "${other.tenantId}" has no book of its own and is charged in ${other.currency}; "${book}" in ${currency} would mix currencies`,
    advise`give each such tenant a book in its currency with ${{ operation: 'tenant set', tenant_id: null, give: 'price_book', from: null }}, and then name the default`,
  );
}
