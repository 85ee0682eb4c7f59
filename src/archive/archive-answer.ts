import { z } from 'zod';
import { countField, dayField, hashField, idField, listOf, monthField } from '../fields.ts';

/** One of the two says what is archived: a month, or how many whole months stay out of it. */
export const archiveRequest = z
  .strictObject({
    /** The month in which the periods begin. */
    month: monthField.nullable(),
    /** Closed periods that began so many months before this one, or earlier. */
    older_than_months: z.int().nonnegative().max(1_200).nullable(),
    tenant_id: z.string().nullable(),
    /** A folder, or `s3://BUCKET/PREFIX`. */
    to: z.string().min(1),
  })
  .refine(({ month, older_than_months: age }) => (month === null) !== (age === null), {
    message: 'say either a month or how old a period must be',
  });
export type ArchiveRequest = z.output<typeof archiveRequest>;

const archivedPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  entries: countField,
  manifest_hash: hashField,
  /** Where its file of entries stands, below the place. */
  file: z.string(),
  /** False where the place had it already. */
  written: z.boolean(),
});
export type ArchivedPeriod = z.infer<typeof archivedPeriod>;

export const archiveAnswer = z.strictObject({ to: z.string(), periods: listOf(archivedPeriod) });
export type ArchiveAnswer = z.infer<typeof archiveAnswer>;

export const archiveCheckRequest = z.strictObject({ place: z.string().min(1) });
export type ArchiveCheckRequest = z.output<typeof archiveCheckRequest>;

const checkedPeriod = z.strictObject({
  tenant_id: z.string(),
  period_start: dayField,
  entries: countField,
  holds: z.boolean(),
  /** What the last step found; of a period that does not hold, why. */
  detail: z.string(),
});
export type CheckedPeriod = z.infer<typeof checkedPeriod>;

export const archiveCheckAnswer = z.strictObject({
  holds: z.boolean(),
  periods: listOf(checkedPeriod),
  /** What was here or has to be, as what is here says: in words, each with its remedy. */
  missing: listOf(z.string()),
});
export type ArchiveCheckAnswer = z.infer<typeof archiveCheckAnswer>;

/** The seal of a batch that has entries of the period, as `seal list` and the published ones name it. */
const periodSeal = z.strictObject({ seal: idField, batch_id: idField, hash: hashField });
export type PeriodSeal = z.infer<typeof periodSeal>;

/** The file beside a period's entries: with both, the closed period proves itself. */
export const archivedHead = z.strictObject({
  format: z.literal('spanledger-archive-1'),
  tenant_id: z.string(),
  period_start: dayField,
  entries: countField,
  /** The name of the file of entries beside this one, and the SHA-256 of its bytes. */
  file: z.string(),
  sha256: hashField,
  manifest_hash: hashField,
  /** The closed period, byte for byte. */
  manifest: z.string(),
  /** The lines that the entries prove, and into which line each price counts: as in a proof. */
  lines: listOf(z.int()),
  prices: listOf(
    z.strictObject({ key: z.string(), lines: z.record(z.string(), z.int()).readonly() }),
  ),
  seals: listOf(periodSeal),
  /** The closed period of the tenant right before this one; absent in archives of before. */
  follows: z
    .strictObject({ period_start: dayField, manifest_hash: hashField })
    .nullable()
    .optional(),
});
export type ArchivedHead = z.infer<typeof archivedHead>;
