/** The content of a proof file. */
export interface Proof {
  readonly format: 'spanledger-proof-1';
  /** The hash as the customer's statement shows it. */
  readonly manifest_hash: string;
  /** The closed period, byte for byte: its hash is the one above. */
  readonly manifest: string;
  /** The lines that are proven, counted from 1. */
  readonly lines: readonly number[];
  /** What the texts of the entries hold, by tabs. */
  readonly columns: readonly string[];
  /** The line into which each meter of entries with one price counts. */
  readonly prices: readonly ProofPrice[];
  /** The entries stand in the order of their positions in the tree. */
  readonly entries: readonly ProofEntry[];
  /** Roots of the subtrees without such entries, from left to right: the inclusion paths of all, each hash once. */
  readonly hashes: readonly string[];
}

export interface ProofPrice {
  readonly key: string;
  readonly lines: Readonly<Record<string, number>>;
}

export interface ProofEntry {
  readonly position: number;
  readonly shown: string;
  /** The hash of what the proof hides. */
  readonly hidden: string;
}

/** One thing that was checked. The first that does not hold ends the check. */
export interface ProofStep {
  readonly step: string;
  readonly holds: boolean;
  readonly detail: string;
}

/** A line of the closed period. */
export interface FrozenLine {
  readonly model: string;
  readonly service_tier: string;
  readonly meter: string;
  readonly late: boolean;
  readonly quantity: string;
  readonly rate: string;
  readonly exact: string;
  readonly amount: string;
}

/** The facts of the closed period that a check needs. */
export interface Frozen {
  readonly format: string;
  readonly tenant_id: string;
  readonly period_start: string;
  readonly entries: number;
  readonly entries_root: string;
  readonly currency: string;
  readonly lines: readonly FrozenLine[];
  readonly charge_exact: string;
  readonly carried_in: string;
  readonly carried_in_due?: string;
  readonly billable: string;
  readonly carried_out: string;
  readonly carried_out_due?: string;
  readonly charge_total: string;
}
