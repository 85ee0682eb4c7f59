import { z } from 'zod';
import {
  countField,
  dayField,
  hashField,
  idField,
  instantField,
  lineGiven,
  listOf,
} from '../fields.ts';

export const sealListRequest = z.strictObject({
  /** The number of the newest seals that are wanted. */
  last: z.int().positive(),
});
export type SealListRequest = z.output<typeof sealListRequest>;

/** Newest first. */
export const sealListAnswer = listOf(
  z.strictObject({
    seal_number: idField,
    /** It is null where the seal is about changes of the journal alone. */
    batch_id: idField.nullable(),
    entries: countField,
    seal_hash: hashField,
    sealed_at: instantField,
  }),
);
export type SealListAnswer = z.infer<typeof sealListAnswer>;

export const sealPublicationRequest = z.strictObject({
  /** A file's path, or `s3://BUCKET/PREFIX`. */
  to: z.string(),
  /**
   * The days for which a bucket keeps each seal under its lock; null for a file, which has none.
   */
  retain_days: z.int().positive().nullable(),
  /** Null takes `compliance` for a bucket. */
  lock_mode: z.enum(['compliance', 'governance']).nullable(),
  /**
   * Where seals were published before a backup was restored: the new place says first what is lost of
   * them. Null where none was restored.
   */
  restored_from: z.string().nullable(),
  /** Why a backup was restored, for whoever audits it; null where none was. */
  reason: lineGiven(500).nullable(),
});
export type SealPublicationRequest = z.output<typeof sealPublicationRequest>;

/** What was published, in the order of the chain. */
export const sealPublicationAnswer = listOf(
  z.strictObject({
    format: z.literal('spanledger-published-seal-1'),
    day: dayField,
    seal: idField,
    hash: hashField,
    sealed_at: instantField,
  }),
);
export type SealPublicationAnswer = z.infer<typeof sealPublicationAnswer>;
