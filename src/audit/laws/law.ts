import type { InstantMs } from '../../clock.ts';

/** One law of the product, checked on the live database. */
export interface LawReport {
  readonly law: number;
  readonly name: string;
  /** Rows that the check looked at. */
  readonly checked: number;
  /** The range says which rows those were, where it was not all of them. */
  readonly range?: string;
  /** The offending ids with what is wrong; at most twenty of them. */
  readonly violations: readonly string[];
}

/** The number of offenders that a report names; the first few say what is wrong. */
export const VIOLATIONS_NAMED = 20;

/** The scope of a run. */
export interface LawScope {
  readonly kind: 'full' | 'incremental';
  /** The last seal that an earlier run found sound; a full run begins before the first. */
  readonly after: { readonly number: bigint; readonly hash: Buffer };
  /** The last seal there was when the run began; what is sealed meanwhile is looked at next time. */
  readonly through: bigint;
  /**
   * The end of the journal as an earlier run saw it and as this one does, each at the moment of its seals; null where that
   * run kept none.
   */
  readonly changes: { readonly after: bigint | null; readonly through: bigint };
  /** Periods closed before this are not looked at again; since ever for a full run. */
  readonly closedSince: InstantMs;
}
