import { countField } from '../../fields.ts';

/**
 * Batches that were posted and are not in the sums yet: more than 0 only where a server under load was asked, and
 * seconds later they are.
 */
export const batchesBehindField = countField;
