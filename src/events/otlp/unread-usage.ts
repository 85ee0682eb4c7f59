import { countOf, isCount } from '../foreign/foreign-count.ts';
import { isObject, parseJson } from '../foreign/foreign-value.ts';
import type { Attributes } from './otlp-attributes.ts';

/** Names of counts of what was used, in whatever dialect: `prompt_tokens`, `usage.total`, `tokenUsage`. */
const USAGE_NAME =
  /(?:(?:prompt|completion|input|output|total|cached?|reasoning|thoughts?|read|write|creation)[._]?tokens?(?:[._]?count)?s?$)|(?:token[._]?(?:usage|counts?)(?:$|[._]))|(?:[._]usage[._](?:input|output|total|prompt|completion)$)/i;

/** A whole usage object in one attribute, such as `llm.usage` or `response.usage_metadata`. */
export const USAGE_OBJECT = /(?:^|[._])usage(?:[._]?(?:details|metadata))?$/i;

/** What a request was allowed, or what is left of a rate, is nothing that was used. */
const NO_USAGE_NAME = /max|limit|budget|remaining|request[._]|header|threshold|price|cost/i;

/** Returns the names of attributes that plainly carry usage; whoever asks has read none of it. */
export function unreadUsage(attributes: Attributes): readonly string[] {
  return [...attributes]
    .filter(
      ([name, value]) =>
        (USAGE_NAME.test(name) ||
          (USAGE_OBJECT.test(name) && typeof countOf(value) !== 'number')) &&
        !NO_USAGE_NAME.test(name) &&
        carriesCount(value),
    )
    .map(([name]) => name);
}

function carriesCount(value: unknown): boolean {
  const count = countOf(value);
  if (isCount(count)) return count > 0;
  const object = isObject(value) ? value : parseJson(value);
  return isObject(object) && Object.values(object).some((inner) => isCount(inner) && inner > 0);
}
