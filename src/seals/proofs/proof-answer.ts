import { z } from 'zod';
import { listOf } from '../../fields.ts';

export const proofCheckRequest = z.strictObject({
  /** The path of what a proof was written to. */
  file: z.string(),
});
export type ProofCheckRequest = z.output<typeof proofCheckRequest>;

/** The first step that does not hold ends the check of its period. */
export const proofCheckAnswer = z.strictObject({
  holds: z.boolean(),
  steps: listOf(z.strictObject({ step: z.string(), holds: z.boolean(), detail: z.string() })),
});
export type ProofCheckAnswer = z.infer<typeof proofCheckAnswer>;
