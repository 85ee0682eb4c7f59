import type { ApiParts } from '../../api/api-parts.ts';
import type { JsonObject } from '../../events/foreign/foreign-value.ts';
import type { Html } from '../view/amounts.ts';

/** A field of an act's form. */
export interface ActField {
  /** The name is as the request of its route has it. */
  readonly name: string;
  readonly label: string;
  /** A `document` is pasted or taken from a file, `lines` are a text of several, and a `picture` is a file. */
  readonly kind?: 'text' | 'month' | 'number' | 'lines' | 'document' | 'picture';
  /** One of these, in place of a text; the first is taken where nothing is said. */
  readonly choices?: readonly string[];
  readonly isRequired?: boolean;
  readonly hint?: string;
}

/** What an act is about to be done with. */
export interface ActAsked {
  readonly parts: ApiParts;
  /** The fields of the form that say something. */
  readonly said: Readonly<Record<string, string>>;
  /** The JSON of the route's request, without who acts and why. */
  readonly given: JsonObject;
  /** The same request as a dry run: what it would answer, and nothing is done. */
  readonly dryRun: () => Promise<unknown>;
}

/**
 * Something that a person does: a route of the API, with a form before it, the difference that it makes, and the
 * reason that is asked for. The route's own request reads it, and its own use case does it.
 */
export interface Act {
  readonly name: string;
  readonly title: string;
  /** One sentence of what it does. */
  readonly words: string;
  /** The route that does it, as `POST /v1/closes`. */
  readonly route: string;
  readonly fields: readonly ActField[];
  /** There is no difference to show before one of these fields says something. */
  readonly oneOf?: readonly string[];
  /** It shows a difference that is never made: there is nothing to confirm. */
  readonly isLook?: boolean;
  /**
   * What the form leaves out and already stands, where the act sets all of it again: it is shown in the form, and confirmed
   * with what was said.
   */
  readonly standing?: (
    parts: ApiParts,
    said: Readonly<Record<string, string>>,
  ) => Promise<Readonly<Record<string, string>>>;
  /** The request's JSON made of the form, where it is not field by field. */
  readonly read?: (said: Readonly<Record<string, string>>) => JsonObject;
  /** What it changes, shown before it is done. */
  readonly preview: (asked: ActAsked) => Promise<Html>;
  /** What came of it, on a server that customers reach under this address. */
  readonly done: (answer: unknown, of: { readonly publicUrl: string }) => Html;
  /** Where a person goes on. */
  readonly back: (said: Readonly<Record<string, string>>) => string;
}
