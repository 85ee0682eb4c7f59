import { haveOneModel, type Models, modelsAskedFor } from '../asked-model.ts';
import type { Attributes } from './otlp-attributes.ts';
import { certainlyRequestedModel, executedModel } from './otlp-call.ts';
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
      const [inner, around] = [asked.get(kept) ?? modelsOf(kept), modelsAround(outer)];
      const models = inner === null || around === null ? null : modelsAskedFor(inner, around);
      if (models !== null) asked.set(kept, models);
    }
  }
  return asked;
}

/** What only says which model answered says nothing of what was asked for. */
function modelsAround({ attributes }: OtlpSpan): Models | null {
  return modelsIn(certainlyRequestedModel(attributes), attributes);
}

/** Tells whether two spans name one model, or one of them names none. */
export function areOfOneModel(one: OtlpSpan, other: OtlpSpan): boolean {
  const [models, others] = [modelsOf(one), modelsOf(other)];
  return models === null || others === null || haveOneModel(models, others);
}

/** Returns the models of a span, each of which may be the other one; null where it names none. */
function modelsOf({ model, attributes }: OtlpSpan): Models | null {
  return modelsIn(model, attributes);
}

function modelsIn(requested: unknown, attributes: Attributes): Models | null {
  const executed = executedModel(attributes) ?? requested;
  if (typeof requested !== 'string' || typeof executed !== 'string') return null;
  return { requested, executed };
}
