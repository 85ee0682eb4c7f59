import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../../clock.ts';
import type { Database } from '../../database/database.ts';

/** An invoice of Stripe's that bills one of our periods, or one of several that it bills. */
export interface InvoiceRow {
  readonly invoiceId: string;
  readonly tenantId: string;
  readonly periodStart: string;
  readonly stripeCustomer: string;
  /** Gone is one that Stripe does not know any more; void bills nothing. */
  readonly state: 'held' | 'released' | 'finalized' | 'gone' | 'void';
  /**
   * The quantity and the amount of the line on our price, in micro units and minor units, as far as they are this
   * period's. They are null until it is final.
   */
  readonly quantity: bigint | null;
  readonly amount: bigint | null;
  /** The one intent that it was made for; null where it bills what the meter counted. */
  readonly identifier: string | null;
  /** When Stripe was last asked to hold it; null once it was seen that nothing is left of that, or where it never was. */
  readonly holdAskedAt: InstantMs | null;
  /** When Stripe last answered that it holds it; null where no answer was heard, and it may never have been asked. */
  readonly holdAnsweredAt: InstantMs | null;
  /** When it was let go, so that Stripe makes it final; null where it never was a draft of which that was known. */
  readonly releasedAt: InstantMs | null;
}

interface Row {
  readonly invoice_id: string;
  readonly tenant_id: string;
  readonly period_start: string;
  readonly stripe_customer: string;
  readonly state: InvoiceRow['state'];
  readonly quantity: bigint | null;
  readonly amount: bigint | null;
  readonly identifier: string | null;
  readonly hold_asked_at: InstantMs | null;
  readonly hold_answered_at: InstantMs | null;
  readonly released_at: InstantMs | null;
}

const COLUMNS = sql.raw(
  'invoice_id, tenant_id, period_start, stripe_customer, state, quantity, amount, identifier, hold_asked_at, hold_answered_at, released_at',
);

/** Reads the invoices of all periods that begin in a month, or of one tenant's; null is any. */
export async function readInvoices(
  database: Database,
  of: { readonly month: string | null; readonly tenantId: string | null },
): Promise<readonly InvoiceRow[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from stripe_invoices
    where (${of.month}::text is null or to_char(period_start, 'YYYY-MM') = ${of.month})
      and (${of.tenantId}::text is null or tenant_id = ${of.tenantId})
    order by tenant_id, period_start, invoice_id`.execute(database.kysely);
  return rows.map(toInvoice);
}

/** Reads the final invoices that bill what the meter counted of a period. */
export async function readFinalOnMeter(
  database: Database,
  { tenantId, periodStart }: Pick<InvoiceRow, 'tenantId' | 'periodStart'>,
): Promise<readonly InvoiceRow[]> {
  const invoices = await readInvoices(database, { month: null, tenantId });
  return invoices.filter(
    (invoice) =>
      invoice.periodStart === periodStart &&
      invoice.state === 'finalized' &&
      invoice.identifier === null,
  );
}

/** Reads what is kept of an invoice for each of the periods that it bills; the oldest first. */
export async function readPeriodsOfInvoice(
  database: Database,
  invoiceId: string,
): Promise<readonly InvoiceRow[]> {
  const { rows } = await sql<Row>`
    select ${COLUMNS} from stripe_invoices where invoice_id = ${invoiceId} order by period_start`.execute(
    database.kysely,
  );
  return rows.map(toInvoice);
}

/** Reads an invoice as it is kept for its last period; null where it is not known. */
export async function readInvoice(
  database: Database,
  invoiceId: string,
): Promise<InvoiceRow | null> {
  return (await readPeriodsOfInvoice(database, invoiceId)).at(-1) ?? null;
}

function toInvoice(row: Row): InvoiceRow {
  return {
    invoiceId: row.invoice_id,
    tenantId: row.tenant_id,
    periodStart: row.period_start,
    stripeCustomer: row.stripe_customer,
    state: row.state,
    quantity: row.quantity,
    amount: row.amount,
    identifier: row.identifier,
    holdAskedAt: row.hold_asked_at,
    holdAnsweredAt: row.hold_answered_at,
    releasedAt: row.released_at,
  };
}

type Known = Pick<InvoiceRow, 'invoiceId' | 'tenantId' | 'periodStart' | 'stripeCustomer'> &
  Partial<Pick<InvoiceRow, 'identifier'>>;

/** Keeps that a draft is held, and that Stripe is asked to from now on. One that was released stays released. */
export async function saveHeld(database: Database, of: Known, at: InstantMs): Promise<void> {
  await sql`
    insert into stripe_invoices (invoice_id, tenant_id, period_start, stripe_customer, state, held_at, hold_asked_at) values
      (${of.invoiceId}, ${of.tenantId}, ${of.periodStart}, ${of.stripeCustomer}, 'held', ${formatInstant(at)}, ${formatInstant(at)})
    on conflict (invoice_id, period_start) do update set hold_asked_at = excluded.hold_asked_at
      where stripe_invoices.state in ('held', 'released')`.execute(database.kysely);
}

/** Keeps that Stripe answered that it holds it. */
export async function saveHoldAnswered(
  database: Database,
  invoiceId: string,
  at: InstantMs,
): Promise<void> {
  await sql`
    update stripe_invoices set hold_answered_at = ${formatInstant(at)}
    where invoice_id = ${invoiceId}`.execute(database.kysely);
}

/** Keeps that nothing is left of what Stripe was asked then; whoever asked it since is not forgotten. */
export async function endHold(
  database: Database,
  { invoiceId, holdAskedAt }: Pick<InvoiceRow, 'invoiceId' | 'holdAskedAt'>,
): Promise<void> {
  if (holdAskedAt === null) return;
  await sql`
    update stripe_invoices set hold_asked_at = null
    where invoice_id = ${invoiceId} and hold_asked_at = ${formatInstant(holdAskedAt)}`.execute(
    database.kysely,
  );
}

export async function saveReleased(database: Database, of: Known, at: InstantMs): Promise<void> {
  await sql`
    insert into stripe_invoices (invoice_id, tenant_id, period_start, stripe_customer, state, released_at, identifier) values
      (${of.invoiceId}, ${of.tenantId}, ${of.periodStart}, ${of.stripeCustomer}, 'released', ${formatInstant(at)},
       ${of.identifier ?? null})
    on conflict (invoice_id, period_start) do update set state = 'released', released_at = excluded.released_at
      where stripe_invoices.state = 'held'`.execute(database.kysely);
}

/**
 * Keeps what a final invoice bills; a void one bills nothing any more, whatever whoever read it before that keeps later.
 * Answers false where it is void by now.
 */
export async function saveFinalized(
  database: Database,
  of: Known &
    Pick<InvoiceRow, 'state'> & {
      readonly quantity: bigint;
      readonly amount: bigint;
      /** Stripe's page of it, where it says one. */
      readonly hostedUrl: string | null;
    },
  at: InstantMs,
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    insert into stripe_invoices (invoice_id, tenant_id, period_start, stripe_customer, state, quantity, amount,
      hosted_url, finalized_at, identifier) values (${of.invoiceId}, ${of.tenantId}, ${of.periodStart}, ${of.stripeCustomer}, ${of.state},
      ${of.quantity}, ${of.amount}, ${of.hostedUrl}, ${formatInstant(at)}, ${of.identifier ?? null})
    on conflict (invoice_id, period_start) do update set state = excluded.state, quantity = excluded.quantity,
      amount = excluded.amount, hosted_url = coalesce(excluded.hosted_url, stripe_invoices.hosted_url),
      finalized_at = coalesce(stripe_invoices.finalized_at, excluded.finalized_at)
      where stripe_invoices.state <> 'void' or excluded.state = 'void'`.execute(database.kysely);
  return numAffectedRows > 0n;
}

/** Keeps that Stripe knows it no more, so that nobody waits for it. */
export async function saveGone(database: Database, invoiceId: string): Promise<void> {
  await sql`update stripe_invoices set state = 'gone' where invoice_id = ${invoiceId}`.execute(
    database.kysely,
  );
}
