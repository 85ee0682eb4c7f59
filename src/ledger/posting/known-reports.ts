import { asksAnother, isFiner } from './finer-report.ts';
import type { CallReport, Tie } from './same-call.ts';
import { compareReports, isBare, isKept, shareResponse } from './same-call.ts';

/** What a report is beside those that are known: a second one, one that contradicts another, or neither. */
export type Novelty =
  | { readonly kind: 'second'; readonly repeats: CallReport; readonly tie: Tie }
  | { readonly kind: 'conflict'; readonly with: CallReport }
  | { readonly kind: 'new' };

/**
 * The reports that the ledger has, and those earlier in a batch, by what marks their calls. Ids of spans
 * stand without their trace, which whoever compares two reports looks at.
 */
export class KnownReports {
  readonly #byResponse: Marked = new Map();
  readonly #byCall: Marked = new Map();
  readonly #bySpan: Marked = new Map();
  readonly #byParentSpan: Marked = new Map();

  /** Without a bare report no two of them are nested: equal answers are found by those. */
  readonly #withSpans: boolean;

  constructor(reports: readonly CallReport[]) {
    this.#withSpans = reports.some(isBare);
  }

  add(report: CallReport): void {
    if (report.status !== 'ok') return;
    mark(this.#byResponse, report.responseId, report);
    mark(this.#byCall, report.callId, report);
    if (!this.#withSpans) return;
    mark(this.#bySpan, report.spanId, report);
    mark(this.#byParentSpan, report.parentSpanId, report);
  }

  /**
   * A report that is to be kept in another one's place is new: that one is taken back when the batch is
   * folded. So is one that counts the call more exactly, or says around it that another model was asked for: the
   * fold takes it back, and over what it says.
   */
  judge(report: CallReport): Novelty {
    let verdict: Novelty = NEW;
    let isNeeded = false;
    for (const known of this.#nextTo(report)) {
      const comparison = compareReports(known, report);
      if (comparison?.kind === 'conflict') verdict = { kind: 'conflict', with: known };
      if (comparison?.kind !== 'same') continue;
      const { tie } = comparison;
      if (!isKept(known, report, tie)) continue;
      const saysMore = isFiner(report, known) || asksAnother(report, known);
      if (!saysMore) return { kind: 'second', repeats: known, tie };
      isNeeded = true;
    }
    return isNeeded ? NEW : verdict;
  }

  /** Whether one of its tenant's that is known has its response too, so that it needs a place beside it. */
  sharesResponse(report: CallReport): boolean {
    return markedBy(this.#byResponse, report.responseId).some((known) =>
      shareResponse(known, report),
    );
  }

  /** Of spans one looks for those within it, and for the one around it. */
  #nextTo(report: CallReport): readonly CallReport[] {
    const ofResponse = markedBy(this.#byResponse, report.responseId);
    if (report.callId === null && !this.#withSpans) return ofResponse;
    return [
      ...ofResponse,
      ...markedBy(this.#byCall, report.callId),
      ...markedBy(this.#byParentSpan, report.spanId),
      ...markedBy(this.#bySpan, report.parentSpanId),
    ];
  }
}

const NEW: Novelty = { kind: 'new' };
const NONE: readonly CallReport[] = [];

type Marked = Map<string, CallReport[]>;

function mark(marked: Marked, id: string | null, report: CallReport): void {
  if (id === null) return;
  const known = marked.get(id);
  if (known === undefined) marked.set(id, [report]);
  else known.push(report);
}

function markedBy(marked: Marked, id: string | null): readonly CallReport[] {
  return id === null ? NONE : (marked.get(id) ?? NONE);
}
