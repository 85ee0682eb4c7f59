import type { CallReport, Tie } from './same-call.ts';
import { compareReports, isKept } from './same-call.ts';

/** What a report is beside those that are known: a second one, one that contradicts another, or neither. */
export type Novelty =
  | { readonly kind: 'second'; readonly repeats: CallReport; readonly tie: Tie }
  | { readonly kind: 'conflict'; readonly with: CallReport }
  | { readonly kind: 'new' };

/** The reports that the ledger has, and those earlier in a batch, by what marks their calls. */
export class KnownReports {
  readonly #byMark = new Map<string, CallReport[]>();

  add(report: CallReport): void {
    if (report.status !== 'ok') return;
    for (const mark of marksOf(report)) {
      const known = this.#byMark.get(mark);
      if (known === undefined) this.#byMark.set(mark, [report]);
      else known.push(report);
    }
  }

  /**
   * A report that is to be kept in another one's place is new: that one is taken back when the batch is
   * folded.
   */
  judge(report: CallReport): Novelty {
    let verdict: Novelty = { kind: 'new' };
    for (const mark of marksSought(report)) {
      for (const known of this.#byMark.get(mark) ?? []) {
        const comparison = compareReports(known, report);
        if (comparison?.kind === 'conflict') verdict = { kind: 'conflict', with: known };
        if (comparison?.kind !== 'same') continue;
        const { tie } = comparison;
        if (isKept(known, report, tie)) return { kind: 'second', repeats: known, tie };
      }
    }
    return verdict;
  }
}

/** NUL separates: no id of an event can hold one. */
function marksOf({ responseId, callId, traceId, spanId, parentSpanId }: CallReport): string[] {
  const marks: string[] = [];
  if (responseId !== null) marks.push(`response\u0000${responseId}`);
  if (callId !== null) marks.push(`call\u0000${callId}`);
  if (traceId === null) return marks;
  if (spanId !== null) marks.push(`span\u0000${traceId}\u0000${spanId}`);
  if (parentSpanId !== null) marks.push(`within\u0000${traceId}\u0000${parentSpanId}`);
  return marks;
}

/** Of spans one looks for the one around it, and for those within it. */
function marksSought({ responseId, callId, traceId, spanId, parentSpanId }: CallReport): string[] {
  const marks: string[] = [];
  if (responseId !== null) marks.push(`response\u0000${responseId}`);
  if (callId !== null) marks.push(`call\u0000${callId}`);
  if (traceId === null) return marks;
  if (spanId !== null) marks.push(`within\u0000${traceId}\u0000${spanId}`);
  if (parentSpanId !== null) marks.push(`span\u0000${traceId}\u0000${parentSpanId}`);
  return marks;
}
