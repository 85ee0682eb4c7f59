import { z } from 'zod';
import { countField, instantField, instantGiven, listOf, monthField } from '../../fields.ts';
import { perMillion, priceBookDocument } from './price-book-document.ts';

export const importRequest = z.strictObject({
  documents: listOf(priceBookDocument),
  /** Says what would be imported and what it changes, and stores nothing. */
  dry_run: z.boolean().optional(),
});
export type ImportRequest = z.output<typeof importRequest>;

const otherPrices = z.record(z.string(), z.string()).nullable();

/** One row that two books price differently; null where a book does not have it. */
const priceDifference = z.strictObject({
  provider: z.string().nullable(),
  model: z.string(),
  service_tier: z.string(),
  above_input_tokens: z.int(),
  before: perMillion.nullable(),
  after: perMillion.nullable(),
  per_call_before: z.string().nullable(),
  per_call_after: z.string().nullable(),
  /** Prices of what is no token, by the meters of units; absent where neither book has any. */
  other_before: otherPrices.optional(),
  other_after: otherPrices.optional(),
});
export type PriceDifference = z.infer<typeof priceDifference>;

/** Entries that an import does not change, with the first and the last instant at which they occurred. */
const keptEntries = z.strictObject({
  entries: countField,
  from: instantField,
  until: instantField,
  /** The months in which the periods begin in which they occurred: by them they are priced anew. */
  months: listOf(monthField),
});
export type KeptEntries = z.infer<typeof keptEntries>;

/** The terms of a whole version of a book, which decide amounts as its rows do. */
const priceTerms = z.strictObject({
  book: z.string(),
  effective_from: instantField,
  base: z.string().nullable(),
  kind: z.enum(['charge', 'cost']),
  currency: z.string(),
  caching: z.enum(['work_done', 'pass_through']),
  /** A cost-plus book takes the cost times this for every call that no row of its own takes. */
  cost_factor: z.string().nullable(),
  /** What is taken off the prices of the base. */
  discount: z.string().nullable(),
});
export type PriceTerms = z.infer<typeof priceTerms>;

const importedVersion = z.strictObject({
  book: z.string(),
  effective_from: instantField,
  /** The number of its rows of models. */
  models: z.int(),
  answer: z.enum(['imported', 'unchanged', 'would_import']),
  /** Whether it became the default book, since there was none: the first charge book that is imported does. */
  became_default: z.boolean(),
  /** Prices that the previous version had and this one lacks. */
  takes_away: listOf(
    z.strictObject({
      provider: z.string().nullable(),
      model: z.string(),
      service_tier: z.string(),
    }),
  ),
  /** Entries from its begin on that are there already: they keep their prices until they are re-rated. */
  unchanged: keptEntries.nullable(),
  /** Where it begins within a day of the version before, the entries that stay with that version. */
  of_version_before: keptEntries.nullable(),
  /** In a dry run, what it prices otherwise than the version before; absent where it is the first. */
  changes: listOf(priceDifference).optional(),
  /** In a dry run, what holds for the whole of the version before and of this one; absent where it is the first. */
  terms: z.strictObject({ before: priceTerms, after: priceTerms }).optional(),
});
export type ImportedVersion = z.infer<typeof importedVersion>;

/** One for each document, in their order. */
export const importAnswer = listOf(importedVersion);
export type ImportAnswer = z.infer<typeof importAnswer>;

const bookVersionRow = z.strictObject({
  book: z.string(),
  kind: z.enum(['charge', 'cost']),
  currency: z.string(),
  effective_from: instantField,
  caching: z.string(),
  /** The book that it is laid over. */
  base: z.string().nullable(),
  /** The factor of a cost-plus book, a decimal. */
  cost_factor: z.string().nullable(),
  /** What is taken off the base's prices, a decimal. */
  discount: z.string().nullable(),
  models: z.int(),
  document_hash: z.string(),
  /** Whether a tenant without a book of its own pays by this book now. */
  is_default: z.boolean(),
});
/** A version of a book in the list. */
export type BookVersionRow = z.infer<typeof bookVersionRow>;

export const booksAnswer = listOf(bookVersionRow);
export type BooksAnswer = z.infer<typeof booksAnswer>;

export const defaultBookRequest = z.strictObject({
  book: z.string(),
  /** The instant from which it holds; left out, now, or since ever where there was no default before. */
  from: instantGiven.optional(),
});
export type DefaultBookRequest = z.output<typeof defaultBookRequest>;

export const defaultBookAnswer = z.strictObject({
  book: z.string(),
  currency: z.string(),
  /** It is null where the book holds since ever. */
  effective_from: instantField.nullable(),
  /** The default until then; null where there was none. */
  before: z.string().nullable(),
  /** The one that was named before to follow it; null where none is. */
  followed_by: z.strictObject({ book: z.string(), effective_from: instantField }).nullable(),
});
export type DefaultBookAnswer = z.infer<typeof defaultBookAnswer>;

export const bookRequest = z.strictObject({ book: z.string() });
export type BookRequest = z.output<typeof bookRequest>;

/** The versions of one book as they were imported, oldest first. */
export const bookAnswer = listOf(priceBookDocument);
export type BookAnswer = z.infer<typeof bookAnswer>;

/** A version of a book: the one that begins at the instant, or the newest where it is null. */
const versionGiven = z.strictObject({ book: z.string(), effective_from: instantGiven.nullable() });
export type VersionGiven = z.output<typeof versionGiven>;

export const compareRequest = z.strictObject({ before: versionGiven, after: versionGiven });
export type CompareRequest = z.output<typeof compareRequest>;

export const compareAnswer = z.strictObject({
  before: priceTerms,
  after: priceTerms,
  rows: listOf(priceDifference),
});
export type CompareAnswer = z.infer<typeof compareAnswer>;

export const seedRequest = z.strictObject({
  /** The name of the cost book. */
  book: z.string(),
  /** The instant from which its first version holds. */
  from: instantGiven,
  /** The models of the operator's deployments, to be looked up among the prices. */
  deployments: z
    .array(
      z.strictObject({
        name: z.string(),
        /** Who is paid; null where the calls say. */
        provider: z.string().nullable(),
        model: z.string(),
      }),
    )
    .default([]),
});
export type SeedRequest = z.output<typeof seedRequest>;

export const seedAnswer = z.strictObject({
  versions: listOf(
    importedVersion.extend({
      answer: z.enum(['imported', 'unchanged', 'would_import', 'written']),
    }),
  ),
  /** The file that has them for review; null where they were imported. */
  written: z.string().nullable(),
  /** The source that the prices are from. */
  source: z.string(),
  /** The names of deployments whose model has no price in the newest version. */
  deployments_without_price: listOf(z.string()),
});
export type SeedAnswer = z.infer<typeof seedAnswer>;
