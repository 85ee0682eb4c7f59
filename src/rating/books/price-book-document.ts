import { z } from 'zod';
import { CURRENCY_ALLOWED, isSupportedCurrency } from '../../currencies.ts';
import { Refusal } from '../../refusal.ts';
import { andMore } from '../../text/counted.ts';
import type { RateOf, UnitPrice } from '../../units.ts';
import { UNITS } from '../../units.ts';

/**
 * A price book as its file holds it: the shape that people write, read and checked, with the
 * defaults filled in. Rates stay decimal strings in the major unit. Every object is strict, because
 * a misspelt rate that is ignored would be a price of something else.
 *
 * Each schema's error is a noun phrase for what is allowed ("a decimal with up to six decimals"), and
 * zod gives it for its checks, too; `parsePriceBook` puts the path and the value before it.
 */

/** The most problems that one refusal names; a file that was never a price book has hundreds. */
const PROBLEMS_NAMED = 5;

/** The most characters of a refused value that a message repeats. */
const VALUE_CHARACTERS = 80;

const DECIMAL =
  'a decimal with up to six decimals, such as "0.15" (a string, not negative, up to twelve digits before the point)';

const decimal = z.string({ error: DECIMAL }).regex(/^(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?$/);

const FINE_DECIMAL =
  'a decimal with up to nine decimals, such as "0.0001" (a string, not negative, up to twelve digits before the point)';

const fineDecimal = z.string({ error: FINE_DECIMAL }).regex(/^(?:0|[1-9]\d{0,11})(?:\.\d{1,9})?$/);

/**
 * Prices of one million of tokens, or of characters, in the book's currency. What is left out falls
 * back to another price, as the table of units says, or leaves usage of it without a price.
 */
export const perMillion = strict(ratesPer('million', decimal.optional()));

const modelRow = strict({
  /**
   * The provider is named as the convention for spans has it, such as `aws.bedrock`; left out, it
   * is any provider.
   */
  provider: text(100).optional(),
  model: text(200),
  service_tier: choice(['standard', 'batch', 'flex', 'priority']).default('standard'),
  /**
   * The row holds for calls whose whole input, cache included, is above this many tokens, and then
   * for all tokens of the call. 0 is the row for every call that no higher row takes.
   */
  above_input_tokens: z.int({ error: 'a whole number of tokens, 0 or more' }).min(0).default(0),
  /** Price of one call beside its tokens, in the book's currency. */
  per_call: decimal.default('0'),
  per_million: perMillion.optional(),
  per_thousand: strict(ratesPer('thousand', decimal.optional())).optional(),
  per_image: decimal.optional(),
  per_second: strict(ratesPer('second', fineDecimal.optional())).optional(),
}).refine(hasPrice, {
  error: 'a model with a price: per_call, per_million, per_thousand, per_image or per_second',
});

/** A row without any price would be a price of zero that nobody gave; what is free says so by a unit. */
function hasPrice(row: {
  readonly per_call: string;
  readonly per_million?: object | undefined;
  readonly per_thousand?: object | undefined;
  readonly per_image?: string | undefined;
  readonly per_second?: object | undefined;
}): boolean {
  if (!/^[0.]+$/.test(row.per_call) || row.per_image !== undefined) return true;
  const groups = [row.per_million, row.per_thousand, row.per_second];
  return groups.some((prices) => Object.keys(prices ?? {}).length > 0);
}

/** The keys of a group of prices, by the table of units. */
function ratesPer<Per extends UnitPrice['per'], Schema>(per: Per, schema: Schema) {
  const units = UNITS.filter(({ price }) => price.per === per);
  const fields = Object.fromEntries(units.map(({ price }) => [price.rate, schema]));
  return fields as Readonly<Record<RateOf<Per>, Schema>>;
}

const INSTANT =
  'an instant in RFC 3339 with seconds and an offset, such as "2026-10-01T00:00:00Z" or "2026-10-01T00:00:00+02:00"';

const DISCOUNT = 'a decimal from 0 to 1 with up to six decimals, such as "0.20" (a string)';

const document = strict({
  book: text(100),
  kind: choice(['charge', 'cost']),
  currency: z.string({ error: CURRENCY_ALLOWED }).refine(isSupportedCurrency),
  effective_from: z.iso.datetime({ offset: true, error: INSTANT }),
  /** Left out, `work_done`. */
  caching: choice(['work_done', 'pass_through']).optional(),
  /** The book that this one is laid over: a model without a row here has its price there. */
  base: text(100).optional(),
  /** Makes a cost-plus book: the charge is the cost times this; rows of models are exceptions. */
  cost_factor: decimal.optional(),
  /** The share of the base's prices that is taken off: 0.20 leaves four fifths. */
  discount: z
    .string({ error: DISCOUNT })
    .regex(/^(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)$/)
    .optional(),
  source: text(500).optional(),
  notes: text(5000).optional(),
  models: z.array(modelRow, { error: 'an array of models' }).default([]),
});

export const priceBookDocument = document.superRefine((book, context) => {
  for (const problem of [...contradictions(book), ...repeatedRows(book.models)]) {
    context.addIssue({ code: 'custom', params: { sentence: true }, ...problem });
  }
});

export type PriceBookDocument = z.infer<typeof priceBookDocument>;
export type PriceBookModel = PriceBookDocument['models'][number];

/**
 * Reads a price book out of parsed JSON. Throws a `price_book` refusal that names, for up to five
 * problems, the path, the value and what is allowed.
 */
export function parsePriceBook(json: unknown): PriceBookDocument {
  const result = priceBookDocument.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describe(issue));
  throw new Refusal(
    'bad_document',
    andMore(problems.slice(0, PROBLEMS_NAMED), problems.length, '; and '),
    'correct the file and import it again; nothing of it was stored',
  );
}

/**
 * Reads a document as it was stored. Every one is kept with its caching, said or not; of a book
 * that takes all from its base it means nothing, and nobody may say it.
 */
export function readStoredBook(stored: unknown): PriceBookDocument {
  const { caching, ...rest } = stored as PriceBookDocument;
  return parsePriceBook(takesAllFromBase(rest) ? rest : stored);
}

/** Tells whether every price of the book is its base's, with the base's terms. */
function takesAllFromBase(book: Pick<PriceBookDocument, 'models' | 'base' | 'discount'>): boolean {
  return book.models.length === 0 && book.base !== undefined && book.discount === undefined;
}

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Returns what each key alone allows but the book as a whole does not. */
function contradictions(book: z.infer<typeof document>): readonly Problem[] {
  const problems: Problem[] = [];
  if (book.base === book.book) {
    problems.push({ path: ['base'], message: 'a book cannot be laid over itself' });
  }
  if (book.cost_factor !== undefined && book.kind === 'cost') {
    const message = 'only a charge book can be a multiple of the cost';
    problems.push({ path: ['cost_factor'], message });
  }
  if (book.cost_factor !== undefined && book.base !== undefined) {
    const message = 'a cost-plus book prices every model, so nothing of its base would be used';
    problems.push({ path: ['base'], message });
  }
  if (book.discount !== undefined && book.base === undefined) {
    const message = 'a discount is taken off the prices of a base; name the book as base';
    problems.push({ path: ['discount'], message });
  }
  if (book.caching !== undefined && takesAllFromBase(book)) {
    const message =
      'a book without rows of its own charges cached input as its base does; leave it out, or give the book the rows that it is about';
    problems.push({ path: ['caching'], message });
  }
  // A version without rows is meaningful over a base (it ends the exceptions) and never elsewhere.
  if (book.models.length === 0 && book.base === undefined && book.cost_factor === undefined) {
    const message = 'a book without base and cost_factor needs at least one model';
    problems.push({ path: ['models'], message });
  }
  return problems;
}

function repeatedRows(models: readonly z.infer<typeof modelRow>[]): readonly Problem[] {
  const firstAt = new Map<string, number>();
  const problems: Problem[] = [];
  for (const [index, row] of models.entries()) {
    const { provider, model, service_tier, above_input_tokens } = row;
    const key = JSON.stringify({ provider, model, service_tier, above_input_tokens });
    const first = firstAt.get(key);
    if (first === undefined) firstAt.set(key, index);
    else problems.push({ path: ['models', index], message: `repeats models[${first}], ${key}` });
  }
  return problems;
}

function describe(issue: z.core.$ZodIssue): string {
  const path = pathOf(issue.path);
  if (
    issue.code === 'unrecognized_keys' ||
    (issue.code === 'custom' && issue.params?.['sentence'])
  ) {
    return `${path}: ${issue.message}`;
  }
  if (issue.input === undefined) return `${path}: is missing; it must be ${issue.message}`;
  return `${path}: ${shown(issue.input)} is not ${issue.message}`;
}

/** `models[3].per_million.input`, or `price book` for the whole document. */
function pathOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return steps.join('').replace(/^\./, '') || 'price book';
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > VALUE_CHARACTERS ? `${json.slice(0, VALUE_CHARACTERS)}…` : json;
}

function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return `an object with the keys ${keys}`;
      return `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; allowed are ${keys}`;
    },
  });
}

function text(longest: number) {
  const error = `a string of 1 to ${longest} characters`;
  return z.string({ error }).min(1).max(longest);
}

function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(', ')}` });
}
