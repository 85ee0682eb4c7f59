import { haveOneModel, type Models, modelsAskedFor } from '../../events/asked-model.ts';
import { finerUsage } from '../../events/finer-usage.ts';
import type { NativeUsage } from '../../events/foreign/foreign-usage.ts';
import { writeUsage } from '../../events/usage-fields.ts';
import type { CallReport } from './same-call.ts';
import { isWithin } from './same-call.ts';

/**
 * Tells whether another report of a call counts it more exactly than the one that is kept. Only spans of one trace do:
 * what a gateway and an application say of one answer is read by different tables.
 */
export function isFiner(other: CallReport, kept: CallReport): boolean {
  if (other.traceId === null || other.traceId !== kept.traceId) return false;
  if (other.memberId !== '' || kept.memberId !== '') return false;
  return finerUsage(reportedCounts(kept), reportedCounts(other)) !== null;
}

/** Tells whether a report right around another one of its call says that another model was asked for (R4). */
export function asksAnother(outer: CallReport, kept: CallReport): boolean {
  if (outer.memberId !== '' || kept.memberId !== '') return false;
  return isWithin(kept, outer) && saysAnother(outer, kept);
}

/** Tells whether a report says that another model was asked for than the one that is kept, wherever it lies. */
export function saysAnother(outer: AskedReport, kept: AskedReport): boolean {
  return modelsAskedFor(reportedModels(kept), reportedModels(outer)) !== null;
}

/** Tells whether two reports name one model, by whichever of its names. */
export function nameOneModel(one: AskedReport, other: AskedReport): boolean {
  return haveOneModel(reportedModels(one), reportedModels(other));
}

/** Returns the models that a report names. */
export function reportedModels({ requestedModel, executedModel }: AskedReport): Models {
  return { requested: requestedModel, executed: executedModel };
}

type AskedReport = Pick<CallReport, 'requestedModel' | 'executedModel'>;

/** Returns what a report counted, as `finerUsage` compares it. */
export function reportedCounts({ usage }: Pick<CallReport, 'usage'>): NativeUsage {
  return { usage: writeUsage(usage), assumed: false, unexplained: 0 };
}
