import type { NativeUsage } from './foreign-usage.ts';
import { isObject, type JsonObject } from './foreign-value.ts';

/**
 * A foreign message becomes native event objects, plain and unchecked. The native schema alone decides
 * what is acceptable, so a value of the wrong type is handed on as it is and refused there by name.
 */
export interface Translation {
  readonly event: JsonObject;
  /**
   * It is true when the producer is not in the table and its input count was taken as inclusive of
   * cache.
   */
  readonly usageAssumed: boolean;
  /**
   * It is true where the producer gives no instant at all, as the results of batches do: the event
   * is dated by its receipt, and is the same event whenever it comes again.
   */
  readonly isTimeless?: boolean;
  /** It is true where an instant is read today that was not read once: what was received then is the same event (R9). */
  readonly wasTimeless?: true;
  /**
   * The other event of the same message whose call this one reports a second time, as the very object
   * that the other translation has (R8).
   */
  readonly repeats?: { readonly event: JsonObject; readonly because: 'nested' | 'response' };
  /**
   * Reads the same as it is read in a message of its own, by which it is known in whichever message it comes (R9);
   * absent where no other event of the message changed what is said of it.
   */
  readonly alone?: () => Translation;
  /**
   * The reason why there is no event after all; what identifies it stands in `event` as far as it
   * is known.
   */
  readonly instead?: NoEvent;
}

export type NoEvent =
  /** Nothing was used: the receipts count it under the reason, which is one of few. */
  | { readonly kind: 'empty'; readonly reason: string }
  /** Something was used, in words that nobody here knows: it waits in quarantine. */
  | { readonly kind: 'not_understood'; readonly detail: string; readonly body: unknown };

/** `translate` never throws on a value that `recognizes` accepted. */
export type Translator = {
  /** Names the format in logs and in the quarantine. */
  readonly format: string;
  readonly recognizes: (value: object) => boolean;
  /** Empty when the message is well formed and holds nothing that the ledger keeps. */
  readonly translate: (value: object) => readonly Translation[];
};

/** The model of a call that failed before anybody said which one it asked for. */
export const UNKNOWN_MODEL = 'unknown';

/** The further tag of a call that says how many tokens of its total nothing explains. */
export const UNEXPLAINED_TOKENS = 'unexplained_tokens';

/**
 * Returns the event of a call, which says of tokens that only the total knows how many they are.
 */
export function translationOf(event: JsonObject, used: NativeUsage): Translation {
  if (used.unexplained === 0) return { event, usageAssumed: used.assumed };
  const tags = isObject(event['tags']) ? event['tags'] : {};
  const named = { ...tags, [UNEXPLAINED_TOKENS]: String(used.unexplained) };
  return { event: { ...event, tags: named }, usageAssumed: true };
}

export function emptyTranslation(source: string, reason: string): Translation {
  return { event: { source }, usageAssumed: false, instead: { kind: 'empty', reason } };
}
