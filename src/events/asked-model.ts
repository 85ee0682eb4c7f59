import { readModelName } from './model-name.ts';
import { knownProvider } from './provider-name.ts';

/** The model that a report says was asked for, and the one that answered: the same where it knows only one of them. */
export interface Models {
  readonly requested: string;
  readonly executed: string;
}

/**
 * Returns the models of a call of which a span around it reports that another one was asked for (R4): an application
 * asks its gateway for a model, and the gateway asks a deployment. Null where both say the same, where the span around
 * it may know no more than which model answered, and where what it names is no single model.
 */
export function modelsAskedFor(inner: Models, outer: Models): Models | null {
  const { requested } = outer;
  if (NO_SINGLE_MODEL.test(requested) || isOneName(requested, inner.requested)) return null;
  if (requested === outer.executed && isOneName(requested, inner.executed)) return null;
  return { requested, executed: inner.executed };
}

/** Nothing, several names, and the address of a profile or of a throughput, which only its owner knows the model of. */
const NO_SINGLE_MODEL = /^$|,|(?:^|\/)arn:(?!.*\/(?:[a-z-]+\.)?[a-z\d]+\.[a-z])/i;

/**
 * Tells whether a name is that of a known model in another spelling, as the prices of models are found: with a provider
 * or a path before it, with a region, a version, a tag of a router, or the date of the model behind it.
 */
function isOneName(name: string, known: string): boolean {
  const [one, other] = [readModelName(bareName(name)), readModelName(bareName(known))];
  return one.name === other.name || one.undated === other.name;
}

/** Tells whether either model of one report is one of another's, whichever of them has the date. */
export function haveOneModel(one: Models, other: Models): boolean {
  return [one.requested, one.executed].some((name) =>
    [other.requested, other.executed].some(
      (known) => isOneName(name, known) || isOneName(known, name),
    ),
  );
}

/** Words that routers write behind a model, to say how it is to be served. */
const TAG = /:(?:online|free|nitro|floor|exacto|extended|thinking|beta|latest)$/;

function bareName(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  const model = last.replace(TAG, '');
  const [provider = ''] = model.split(':', 1);
  const isNamed = provider !== model && knownProvider(provider) !== null;
  return isNamed ? model.slice(provider.length + 1) : model;
}
