/** The model that a report says was asked for, and the one that answered: the same where it knows only one of them. */
export interface Models {
  readonly requested: string;
  readonly executed: string;
}

/**
 * Returns the models of a call of which a span around it reports that another one was asked for (R4): an application
 * asks its gateway for a model, and the gateway asks a deployment. Null where both say the same, and where the span
 * around it may know no more than which model answered.
 */
export function modelsAskedFor(inner: Models, outer: Models): Models | null {
  const { requested } = outer;
  if (requested === '' || isOneName(requested, inner.requested)) return null;
  if (requested === outer.executed && isOneName(requested, inner.executed)) return null;
  return { requested, executed: inner.executed };
}

/** A name may have that of a provider or of a path before it, and the date of the model behind it. */
function isOneName(name: string, known: string): boolean {
  const [one, other] = [lastPart(name), lastPart(known)];
  return one === other || (one.startsWith(other) && DATE.test(one.slice(other.length)));
}

const DATE = /^[-@](?:\d{8}|\d{4}-\d\d-\d\d)$/;

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).toLowerCase();
}
