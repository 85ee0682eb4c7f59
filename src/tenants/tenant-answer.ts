import { z } from 'zod';
import {
  amountField,
  countField,
  dayField,
  instantField,
  instantGiven,
  lineGiven,
  linesGiven,
  listOf,
  monthField,
  wholeField,
} from '../fields.ts';
import { remedyField } from '../remedy.ts';

const mode = z.enum(['shadow', 'live']);

/** What is set of a tenant's own row; a book and a calendar have dates of their own. */
export const TENANT_SETTINGS = [
  ...(['mode', 'stripe_customer', 'time_zone', 'anchor_day'] as const),
  ...(['name', 'address', 'contact'] as const),
] as const;

/** Fields that are not given keep their value; a tenant that does not exist is created. */
export const setTenantRequest = z
  .strictObject({
    tenant_id: z.string(),
    /** Shadow is never pushed. */
    mode: mode.optional(),
    /** The IANA zone of its billing periods. */
    time_zone: z.string().optional(),
    /** The day of the month on which periods begin. */
    anchor_day: z.int().min(1).max(31).optional(),
    /** The charge book that it pays by. */
    price_book: z.string().optional(),
    /** The instant from which the price book holds; now, where it is not said. */
    price_book_from: instantGiven.optional(),
    /** Its customer in Stripe, cus_…; an empty text takes it away. */
    stripe_customer: z.string().optional(),
    /** What its statements call it, and whom they are for; an empty text takes each away. */
    name: lineGiven(200).optional(),
    address: linesGiven(500).optional(),
    contact: lineGiven(200).optional(),
  })
  .refine(
    ({ price_book, price_book_from }) => price_book_from === undefined || price_book !== undefined,
    {
      path: ['price_book_from'],
      error: 'says from when a price book holds; name the book, too',
    },
  );
export type SetTenantRequest = z.output<typeof setTenantRequest>;

/** The tenant that is billed; its calendar is the newest rule, which may be still to come. */
const tenantAnswer = z.strictObject({
  tenant_id: z.string(),
  mode,
  time_zone: z.string(),
  anchor_day: z.int(),
  /** The instant from which that calendar holds; null where it holds since ever. */
  calendar_from: instantField.nullable(),
  /** The calendar that holds now. */
  calendar_now: z.strictObject({ time_zone: z.string(), anchor_day: z.int() }),
  /** The one of its own that it pays by now; null for the default one. */
  price_book: z.string().nullable(),
  /** The next one of its own, and from when it holds; null where none is to come. */
  price_book_to_come: z
    .strictObject({ price_book: z.string(), effective_from: instantField })
    .nullable(),
  stripe_customer: z.string().nullable(),
  /** What statements call it; null where they say its id. */
  name: z.string().nullable(),
  address: z.string().nullable(),
  contact: z.string().nullable(),
  /** Whether somebody named it; a tenant that only events named is in shadow, and the month says so. */
  registered: z.boolean(),
  /** The end of the last period that takes nothing more; null while none is. */
  closed_until: instantField.nullable(),
  /** The instant at which it left; null while it is a customer. */
  left_at: instantField.nullable(),
  /** The instant at which it leaves, which is still to come; null where none is. */
  leaves_at: instantField.nullable(),
});
export type TenantAnswer = z.infer<typeof tenantAnswer>;

export const tenantsAnswer = listOf(tenantAnswer);
export type TenantsAnswer = z.infer<typeof tenantsAnswer>;

const owedInOther = z.strictObject({
  amount: amountField,
  currency: z.string(),
  detail: z.string(),
  remedy: remedyField,
});

/** The amount owed to a tenant in a currency in which it no longer pays. */
export const leftOwed = owedInOther.extend({
  tenant_id: z.string(),
  /** The period that carried it on. */
  period_start: dayField,
});
export type LeftOwed = z.infer<typeof leftOwed>;

/** A tenant as it was set. */
export const setTenantAnswer = tenantAnswer.extend({
  /** Months whose charges are in another currency than the book's until they are re-rated. */
  to_rerate: listOf(monthField),
  /** What is owed to it in other currencies than the book's that it was given, which no period of that one takes in. */
  left_owed: listOf(owedInOther),
  /** The periods that a change of mode decides, the running one among them, and what comes late to those that were billed. */
  decided_by_mode: listOf(z.strictObject({ detail: z.string(), remedy: remedyField })),
});
export type SetTenantAnswer = z.infer<typeof setTenantAnswer>;

export const showTenantRequest = z.strictObject({
  tenant_id: z.string(),
  /** How many of its last periods and pushes are shown. */
  most: z.int().positive(),
});
export type ShowTenantRequest = z.output<typeof showTenantRequest>;

/** Everything of one tenant with its history. */
export const shownTenantAnswer = tenantAnswer.extend({
  created_at: instantField,
  /** When somebody named it; null where only events did. */
  registered_at: instantField.nullable(),
  /** The book that charges it now; null where there is neither one of its own nor a default. */
  price_book_now: z
    .strictObject({ book: z.string(), currency: z.string(), by_default: z.boolean() })
    .nullable(),
  /** Its own books, the newest first; since ever where no instant is said. */
  price_books: listOf(
    z.strictObject({ effective_from: instantField.nullable(), price_book: z.string() }),
  ),
  /** Its calendars, the oldest first, with the one that is to come. */
  calendars: listOf(
    z.strictObject({
      effective_from: instantField.nullable(),
      time_zone: z.string(),
      anchor_day: z.int(),
    }),
  ),
  /** What was set of it, when and by whom, the oldest first; nothing that was set before changes were kept. */
  changes: listOf(
    z.strictObject({
      at: instantField,
      setting: z.enum(TENANT_SETTINGS),
      was: z.string().nullable(),
      became: z.string().nullable(),
      actor: z.string(),
    }),
  ),
  /** The last ones, the newest first, as audit.periods has them. */
  periods: listOf(
    z.strictObject({
      period_start: dayField,
      starts_at: instantField,
      ends_at: instantField,
      state: z.enum(['open', 'closed']),
      mode,
      entries: countField,
      charge_exact: amountField,
      billable: amountField.nullable(),
      carried_out: amountField.nullable(),
      charge_total: amountField.nullable(),
      currency: z.string().nullable(),
      closed_at: instantField.nullable(),
      told: z.enum(['untold', 'told', 'settled', 'not_due']).nullable(),
      invoice_id: z.string().nullable(),
    }),
  ),
  /** The last ones, the newest first, as audit.pushes has them; the value is in millionths. */
  pushes: listOf(
    z.strictObject({
      period_start: dayField,
      destination: z.string(),
      identifier: z.string(),
      value: wholeField,
      state: z.string(),
      attempts: countField,
      first_attempt_at: instantField.nullable(),
      confirmed_at: instantField.nullable(),
    }),
  ),
});
export type ShownTenantAnswer = z.infer<typeof shownTenantAnswer>;
