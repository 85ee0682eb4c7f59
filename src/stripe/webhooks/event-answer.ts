import { z } from 'zod';

/** What an event of Stripe's led to, in words; a replay led to nothing. */
export const eventAnswer = z.strictObject({
  event: z.string(),
  type: z.string(),
  outcome: z.string(),
});
export type EventAnswer = z.infer<typeof eventAnswer>;
