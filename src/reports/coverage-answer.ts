import { z } from 'zod';
import { amountField, listOf, percentField } from '../fields.ts';

/** The attribution coverage that every report shows (R11), for each currency. */
export const coverageAnswer = listOf(
  z.strictObject({
    currency: z.string(),
    attributed_cost: amountField,
    /** What is known of it. */
    all_cost: amountField,
    /** It is null where no cost is known. */
    share: percentField.nullable(),
    entries_without_cost: z.int(),
  }),
);
export type CoverageAnswer = z.infer<typeof coverageAnswer>;
