import { type Models, modelsAskedFor } from '../asked-model.ts';
import { executedModel } from './otlp-call.ts';
import type { OtlpSpan } from './otlp-spans.ts';

/** Of several reports around a call the outermost one says what was asked for, as far as it says anything. */
export function askedModels(
  calls: Iterable<OtlpSpan>,
  of: {
    readonly ancestors: ReadonlyMap<OtlpSpan, readonly OtlpSpan[]>;
    readonly isReport: (outer: OtlpSpan, kept: OtlpSpan) => boolean;
  },
): Map<OtlpSpan, Models> {
  const asked = new Map<OtlpSpan, Models>();
  for (const kept of calls) {
    for (const outer of of.ancestors.get(kept) ?? []) {
      if (!of.isReport(outer, kept)) continue;
      const [inner, around] = [asked.get(kept) ?? modelsOf(kept), modelsOf(outer)];
      const models = inner === null || around === null ? null : modelsAskedFor(inner, around);
      if (models !== null) asked.set(kept, models);
    }
  }
  return asked;
}

function modelsOf({ model, attributes }: OtlpSpan): Models | null {
  const executed = executedModel(attributes) ?? model;
  if (typeof model !== 'string' || typeof executed !== 'string') return null;
  return { requested: model, executed };
}
