/** One law of the product, checked on the live database. */
export interface LawReport {
  readonly law: number;
  readonly name: string;
  /** Rows that the check looked at. */
  readonly checked: number;
  /** The offending ids with what is wrong; at most twenty of them. */
  readonly violations: readonly string[];
}

/** How many offenders a report names; the first few say what is wrong. */
export const VIOLATIONS_NAMED = 20;
