import { z } from 'zod';
import { amountField, listOf, percentField } from '../fields.ts';

/** The attribution coverage that every report shows (R11), for each currency. */
export const coverageAnswer = listOf(
  z.strictObject({
    currency: z.string(),
    attributed_cost: amountField,
    all_cost: amountField,
    /** It is null where no cost is known. */
    share: percentField.nullable(),
  }),
);
export type CoverageAnswer = z.infer<typeof coverageAnswer>;
