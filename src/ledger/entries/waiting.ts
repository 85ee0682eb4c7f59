const WAITING = ['unrated', 'unmeasured'] as const;

/** Whether an entry of this outcome waits for a price or for its usage: its charge is still to come, and is none of zero (R10). */
export function isWaiting({ outcome }: { readonly outcome: string | null }): boolean {
  return WAITING.some((waiting) => waiting === outcome);
}

/** The same of a row of `entries`, in SQL. */
export const IS_WAITING = `outcome in (${WAITING.map((name) => `'${name}'`).join(', ')})`;
