import { z } from 'zod';
import { idField, instantField, listOf, monthField } from './fields.ts';

const tenant = z.string().nullable();
const month = monthField.nullable();
const entry = z.string().nullable();

/** Every operation that a remedy names, with what it is to be given; null where the person chooses. */
const operation = z.discriminatedUnion('operation', [
  anOperation('adjust', {}),
  anOperation('allocate list', {}),
  anOperation('allocate reverse', { pool: z.string(), month }),
  anOperation('audit acts', {}),
  anOperation('audit entry', { entry_id: entry }),
  anOperation('audit line', { tenant_id: z.string(), month: monthField }),
  anOperation('budget list', {}),
  anOperation('budget requests', { all: z.boolean() }),
  anOperation('close', { month: monthField, tenant_id: tenant }),
  anOperation('correct', { entry_id: entry, by: z.enum(['move', 'void', 'usage']) }),
  anOperation('fx import', {}),
  anOperation('key list', {}),
  anOperation('migrate', { roles: z.boolean() }),
  anOperation('price-book import', {}),
  anOperation('price-book list', {}),
  anOperation('prove', {}),
  anOperation('push', { month }),
  anOperation('push list', { state: z.enum(['parked']).nullable() }),
  anOperation('quarantine list', { all: z.boolean() }),
  anOperation('reconcile', { month }),
  anOperation('report runs', {}),
  anOperation('rerate', { month, tenant_id: tenant }),
  anOperation('seal publish', {
    to: z.string().nullable(),
    retain_days: z.int().nullable(),
    /** The place of the seals from before a restore; null where none was made. */
    restored_from: z.string().nullable(),
  }),
  anOperation('statement', {
    tenant_id: tenant,
    month,
    show: z.enum(['closed', 'preview', 'proof']),
  }),
  anOperation('stripe alerts', { all: z.boolean() }),
  anOperation('stripe resolve', {
    alert_id: idField.nullable(),
    /** Whether the person says that nothing was billed but what is on record. */
    nothing_else_billed: z.boolean().optional(),
  }),
  anOperation('stripe settled', {
    tenant_id: tenant,
    month,
    /** The first day of the one that is meant, where several periods begin in the month. */
    period_start: z.string().optional(),
  }),
  anOperation('stripe setup', {
    currency: z.string().nullable(),
    subscriptions: z.boolean(),
    tenant_id: tenant,
  }),
  anOperation('stripe unpark', { identifier: z.string() }),
  anOperation('stripe unsettle', { identifier: z.string().nullable() }),
  anOperation('tenant list', {}),
  anOperation('tenant set', {
    tenant_id: tenant,
    give: z.enum(['price_book', 'stripe_customer']).nullable(),
    /** The instant from which what is given holds; null for now. */
    from: instantField.nullable(),
  }),
  anOperation('webhook list', {}),
  anOperation('verify', { against: z.string().nullable() }),
]);
export type Operation = Readonly<z.infer<typeof operation>>;

/**
 * What a person can do: plain advice, in which the operations of this program stand as data. Each door
 * phrases them in its own terms, the command line as commands to type.
 */
export const remedyField = listOf(z.union([z.string(), operation]));
export type Remedy = readonly (string | Operation)[];

/** What is wrong with one thing among many, and what a person does about it; null where only time helps. */
export interface Fault {
  readonly fault: string;
  readonly remedy: Remedy | null;
}

function anOperation<Name extends string, Given extends z.ZodRawShape>(name: Name, given: Given) {
  return z.strictObject({ operation: z.literal(name), ...given });
}

/** Makes advice around operations: advise`close it first, with ${{ operation: 'close', … }}`. */
export function advise(
  words: TemplateStringsArray,
  ...between: readonly (string | number | Operation)[]
): Remedy {
  const parts: (string | Operation)[] = [];
  for (const [index, text] of words.entries()) {
    const next = between[index];
    parts.push(text);
    if (next !== undefined) parts.push(typeof next === 'number' ? String(next) : next);
  }
  return parts.filter((part) => part !== '');
}

/** Phrases the advice as one text, with the door's own words for each operation. */
export function phraseRemedy(parts: Remedy, phrase: (operation: Operation) => string): string {
  return parts.map((part) => (typeof part === 'string' ? part : phrase(part))).join('');
}
