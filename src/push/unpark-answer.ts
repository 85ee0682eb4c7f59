import { z } from 'zod';

export const unparkRequest = z.strictObject({
  /** The identifier of a parked intent. */
  identifier: z.string(),
});
export type UnparkRequest = z.output<typeof unparkRequest>;

/** The decision, and what follows from it. */
export const unparkAnswer = z.strictObject({
  identifier: z.string(),
  state: z.enum(['confirmed', 'missing']),
  detail: z.string(),
});
export type UnparkAnswer = z.infer<typeof unparkAnswer>;
