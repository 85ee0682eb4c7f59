/** What a test may change about the double while it runs. All durations in milliseconds. */
export interface DoubleSettings {
  /** The time that an accepted event stays out of the summaries. Default 0. */
  summaryLagMs: number;
  /**
   * The time that a meter event's request stays in flight. Default 5, so that two that a client
   * sends at once for one customer and meter do meet, as they would at Stripe.
   */
  latencyMs: number;
  /**
   * True (the default): an unknown customer or a value that cannot be read is accepted with 200, not
   * counted, and reported later, as Stripe's docs say. False: it is a 400 at once.
   */
  asyncValidation: boolean;
  /**
   * True: an event of a name that no active meter has is accepted with 200, not counted, and reported
   * later, by `v1.billing.meter.no_meter_found` where no meter has the name at all. False (the
   * default): it is a 400 at once, as others have seen it.
   */
  asyncMeterLookup: boolean;
  /** The time from the first rejected event to its report. Default 10 s, the docs' window. */
  validationLagMs: number;
  /**
   * The account's finalization grace period, 1 to 72 hours; null (the default) is Stripe's own hour,
   * which a failing `invoice.created` prolongs to 72 hours. A set one is not prolonged.
   */
  finalizationGraceMs: number | null;
  /**
   * What keeps every draft from becoming final, in the words of `last_finalization_error`; null (the default) where
   * nothing does. A draft that failed waits for whoever lets it go again, or finalizes it.
   */
  finalizationError: string | null;
}

export function defaultSettings(): DoubleSettings {
  return {
    summaryLagMs: 0,
    latencyMs: 5,
    asyncValidation: true,
    asyncMeterLookup: false,
    validationLagMs: 10_000,
    finalizationGraceMs: null,
    finalizationError: null,
  };
}
