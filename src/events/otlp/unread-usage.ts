import { countOf, isCount } from '../foreign/foreign-count.ts';
import { isObject, parseJson } from '../foreign/foreign-value.ts';
import type { Attributes } from './otlp-attributes.ts';

/** Names of counts of what was used, in whatever dialect: `prompt_tokens`, `usage.total`, `tokenUsage`. */
const USAGE_NAME =
  /(?:(?:prompt|completion|input|output|total|cached?|reasoning|thoughts?|read|write|creation)[._]?tokens?(?:[._]?count)?s?$)|(?:tokens?[._]?(?:usage|counts?)(?:$|[._]))|(?:(?:^|[._])tokens?[._](?:in|out|input|output|prompt|completion|total|used)$)|(?:[._]usage[._](?:input|output|total|prompt|completion|tokens?)$)/i;

/** A whole usage object in one attribute, such as `llm.usage` or `response.usage_metadata`. */
export const USAGE_OBJECT = /(?:^|[._])usage(?:[._]?(?:details|metadata))?$/i;

/** An object of figures of any kind, among which counts of tokens may be: `braintrust.metrics`, `llm.stats`. */
const FIGURES_OBJECT = /(?:^|[._])(?:metrics|stats|statistics|tokens)$/i;

/** The names of counts of tokens within such an object. */
const TOKEN_COUNT = /(?:prompt|completion|input|output|total)[._]?tokens?(?:[._]?count)?$/i;

/** What a request was allowed, or what is left of a rate, is nothing that was used. */
const NO_USAGE_NAME = /max|limit|budget|remaining|request[._]|header|threshold|price|cost/i;

/** Returns the names of attributes that plainly carry usage; whoever asks has read none of it. */
export function unreadUsage(attributes: Attributes): readonly string[] {
  return [...attributes]
    .filter(
      ([name, value]) =>
        !NO_USAGE_NAME.test(name) &&
        ((isUsageName(name, value) && carriesCount(value)) ||
          ((FIGURES_OBJECT.test(name) || USAGE_OBJECT.test(name)) && countsTokens(value))),
    )
    .map(([name]) => name);
}

function isUsageName(name: string, value: unknown): boolean {
  return USAGE_NAME.test(name) || (USAGE_OBJECT.test(name) && typeof countOf(value) !== 'number');
}

/** Vendors wrap such an object in another one, or have one for each model. */
function countsTokens(value: unknown, deeper = 1): boolean {
  const object = isObject(value) ? value : parseJson(value);
  if (!isObject(object)) return false;
  return Object.entries(object).some(([name, inner]) => {
    if (TOKEN_COUNT.test(name)) return Number(countOf(inner) ?? 0) > 0;
    return deeper > 0 && isObject(inner) && countsTokens(inner, deeper - 1);
  });
}

function carriesCount(value: unknown): boolean {
  const count = countOf(value);
  if (isCount(count)) return count > 0;
  const object = isObject(value) ? value : parseJson(value);
  return isObject(object) && Object.values(object).some((inner) => isCount(inner) && inner > 0);
}
