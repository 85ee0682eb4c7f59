/**
 * A foreign message becomes native event objects, plain and unchecked. The native schema alone decides
 * what is acceptable, so a value of the wrong type is handed on as it is and refused there by name.
 */
export interface Translation {
  readonly event: Readonly<Record<string, unknown>>;
  /**
   * It is true when the producer is not in the table and its input count was taken as inclusive of
   * cache.
   */
  readonly usageAssumed: boolean;
}

/** `translate` never throws on a value that `recognizes` accepted. */
export type Translator = {
  /** Names the format in logs and in the quarantine. */
  readonly format: string;
  readonly recognizes: (value: object) => boolean;
  /** Empty when the message is well formed and holds nothing that the ledger keeps. */
  readonly translate: (value: object) => readonly Translation[];
};
