import { z } from 'zod';
import { instantField, lineGiven, linesGiven } from '../fields.ts';

/** A field that is not given keeps its value; an empty text clears it. */
export const setIssuerRequest = z.strictObject({
  /** The name that stands at the head of every statement. */
  name: lineGiven(200).optional(),
  /** Its address, in lines. */
  address: linesGiven(500).optional(),
  /** A PNG or JPEG as a data URI, `data:image/png;base64,…`. */
  logo: z.string().max(100_000).optional(),
  /** Where a customer asks about a statement, https://… */
  support_url: z.union([z.literal(''), z.url({ protocol: /^https$/ }).max(500)]).optional(),
  support_email: z.union([z.literal(''), z.email().max(200)]).optional(),
});
export type SetIssuerRequest = z.output<typeof setIssuerRequest>;

/** The name on statements while nobody is named. */
export const DEFAULT_ISSUER = 'Spanledger';

/** Who sends the statements; what was never set is null. */
export const issuerFields = {
  name: z.string().nullable(),
  address: z.string().nullable(),
  /** The picture as a data URI. */
  logo: z.string().nullable(),
  support_url: z.string().nullable(),
  support_email: z.string().nullable(),
};

export const issuerAnswer = z.strictObject({ ...issuerFields, set_at: instantField.nullable() });
export type IssuerAnswer = z.infer<typeof issuerAnswer>;
