import { z } from 'zod';

/** The list of the quarantine as the door pages it. */
export const quarantineAsked = z.strictObject({
  /** The replayed and dismissed ones, too. */
  all: z.boolean(),
});
