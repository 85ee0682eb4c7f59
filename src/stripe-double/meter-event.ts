import { randomUUID } from 'node:crypto';
import { DateTime } from 'luxon';
import type Stripe from 'stripe';
import { z } from 'zod';
import { formatInstant } from '../clock.ts';
import type { Account } from './account.ts';
import { ApiFailure } from './api-failure.ts';
import { type Call, type Endpoint, endpoint } from './endpoint.ts';
import { type ExactDecimal, readDecimal, significantDigits, ZERO } from './exact-decimal.ts';
import { activeMeter } from './meter.ts';
import { rejectEvent } from './meter-error-report.ts';
import { expandable, text, unixSeconds } from './params.ts';
import type { RejectionCode } from './stripe-object.ts';

/** Stripe's docs: event_name and identifier have at most 100 characters. */
const NAME_LENGTH_MAX = 100;
/** Stripe's docs: within the past 35 calendar days, and at most five minutes ahead. */
const AGE_SECONDS_MAX = 35 * 86_400;
const LEAD_SECONDS_MAX = 5 * 60;
/** Stripe's docs, since API version 2026-04-22: a value has at most 15 significant digits. */
const SIGNIFICANT_DIGITS_MAX = 15;
/** The docs promise "at least 24 hours"; the double forgets at 24, so that a later replay counts. */
const IDENTIFIER_MEMORY_MS = 24 * 60 * 60 * 1000;

const commonParams = {
  event_name: text.max(NAME_LENGTH_MAX),
  identifier: text.max(NAME_LENGTH_MAX).optional(),
  payload: z.record(text, z.string()),
};

const rfc3339 = z.string().transform((value, context) => {
  const instant = DateTime.fromISO(value, { zone: 'utc' });
  if (instant.isValid) return Math.floor(instant.toSeconds());
  context.addIssue('must be an RFC 3339 timestamp');
  return z.NEVER;
});

/** One event as sent, whichever version of the API it was sent to. */
interface Submission {
  readonly event_name: string;
  readonly identifier?: string | undefined;
  readonly payload: Record<string, string>;
  readonly timestamp?: number | undefined;
}

interface AcceptedEvent {
  readonly identifier: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** v1 gives no `code` with these errors; v2 does. */
type ApiVersion = 'v1' | 'v2';

export const meterEventEndpoints: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/billing/meter_events',
    params: z.strictObject({ ...expandable, ...commonParams, timestamp: unixSeconds.optional() }),
    check: ({ account }, params) => checkSubmission(account, params, 'v1'),
    lock: ({ account }, params) => lockOf(account, params),
    run: (call, params) => {
      const accepted = accept(call, params, 'v1');
      return {
        object: 'billing.meter_event',
        created: call.account.clock.nowSeconds(),
        event_name: params.event_name,
        livemode: false,
        payload: params.payload,
        ...accepted,
      } satisfies Stripe.Billing.MeterEvent;
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v2/billing/meter_events',
    params: z.strictObject({ ...commonParams, timestamp: rfc3339.optional() }),
    check: ({ account }, params) => checkSubmission(account, params, 'v2'),
    lock: ({ account }, params) => lockOf(account, params),
    run: (call, params) => {
      const { identifier, timestamp } = accept(call, params, 'v2');
      return {
        object: 'v2.billing.meter_event',
        created: formatInstant(call.account.clock.now()),
        event_name: params.event_name,
        identifier,
        livemode: false,
        payload: params.payload,
        timestamp: formatInstant(timestamp * 1000),
      } satisfies Stripe.V2.Billing.MeterEvent;
    },
  }),
];

/** Refuses what is wrong with the parameters alone. A key is not used up by it. */
function checkSubmission(account: Account, submission: Submission, version: ApiVersion): void {
  checkTimestamp(account, submission.timestamp, version);
  const meter = activeMeter(account, submission.event_name);
  const valueKey = meter?.value_settings.event_payload_key ?? 'value';
  const value = readDecimal(submission.payload[valueKey] ?? '');
  if (value === null || significantDigits(value) <= SIGNIFICANT_DIGITS_MAX) return;
  const message = `The meter event value has more than ${SIGNIFICANT_DIGITS_MAX} significant digits.`;
  throw refusal(version, { code: 'meter_event_value_too_many_digits', message });
}

function checkTimestamp(
  account: Account,
  timestamp: number | undefined,
  version: ApiVersion,
): void {
  if (timestamp === undefined) return;
  const now = account.clock.nowSeconds();
  const oldest = now - AGE_SECONDS_MAX;
  if (timestamp < oldest) {
    const message = `The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to ${oldest}.`;
    throw refusal(version, { code: 'timestamp_too_far_in_past', message });
  }
  if (timestamp > now + LEAD_SECONDS_MAX) {
    const message = 'The event timestamp cannot be more than 5 minutes in the future.';
    throw refusal(version, { code: 'timestamp_in_future', message });
  }
}

/** Stripe executes one call at a time per customer and meter. */
function lockOf(account: Account, submission: Submission): string | null {
  const meter = activeMeter(account, submission.event_name);
  if (meter === undefined) return null;
  return `${meter.id} ${submission.payload[meter.customer_mapping.event_payload_key] ?? ''}`;
}

function accept(call: Call, submission: Submission, version: ApiVersion): AcceptedEvent {
  const { account } = call;
  const meter = activeMeter(account, submission.event_name);
  if (meter === undefined && !account.settings.asyncMeterLookup) {
    const message = `No active meter found for event name ${submission.event_name}.`;
    throw refusal(version, { code: 'no_meter', message });
  }
  const accepted = {
    identifier: submission.identifier ?? randomUUID(),
    timestamp: submission.timestamp ?? account.clock.nowSeconds(),
  };
  refuseDuplicate(account, accepted.identifier, version);
  const usage =
    meter === undefined
      ? withoutMeter(account, submission.event_name)
      : readUsage(account, meter, submission.payload);
  if ('code' in usage) {
    if (meter !== undefined && !account.settings.asyncValidation) throw refusal(version, usage);
    rejectEvent(account, {
      ...usage,
      requestIdentifier: call.idempotencyKey ?? accepted.identifier,
    });
  } else {
    account.usage.add({ ...usage, ...accepted, receivedAt: account.clock.now() });
  }
  account.identifiers.set(accepted.identifier, account.clock.now());
  return accepted;
}

/**
 * Returns the reason why nothing takes an event of this name: its meter is inactive, or there is
 * none.
 */
function withoutMeter(account: Account, eventName: string): Unusable {
  const meters = [...account.meters.values()];
  const inactive = meters.find((meter) => meter.event_name === eventName);
  if (inactive === undefined) {
    const message = `No meter found for event name ${eventName}.`;
    return { meterId: null, code: 'no_meter', message };
  }
  const message = `The meter ${inactive.id} for event name ${eventName} is inactive.`;
  return { meterId: inactive.id, code: 'archived_meter', message };
}

/**
 * An identifier is unique in its account, whatever the customer and the meter, and remembered 24
 * hours after it was last accepted. The scope is an assumption: Stripe's docs only say "unique".
 */
function refuseDuplicate(account: Account, identifier: string, version: ApiVersion): void {
  const acceptedAt = account.identifiers.get(identifier);
  if (acceptedAt === undefined) return;
  if (account.clock.now() - acceptedAt >= IDENTIFIER_MEMORY_MS) return;
  const message = `An event already exists with identifier ${identifier}.`;
  const headers = { 'stripe-should-retry': 'false' };
  throw refusal(version, { code: 'duplicate_meter_event', message, headers });
}

type Usage = {
  readonly meterId: string;
  readonly customer: string;
  readonly value: ExactDecimal;
};
type Unusable = {
  readonly meterId: string | null;
  readonly code: RejectionCode;
  readonly message: string;
};

/** Reads what Stripe looks at after it has answered: the customer and the value. */
function readUsage(
  account: Account,
  meter: Stripe.Billing.Meter,
  payload: Readonly<Record<string, string>>,
): Usage | Unusable {
  const meterId = meter.id;
  const customerKey = meter.customer_mapping.event_payload_key;
  const customer = payload[customerKey] ?? '';
  if (customer === '') {
    const message = `The event payload has no customer under the key ${customerKey}.`;
    return { meterId, code: 'meter_event_no_customer_defined', message };
  }
  if (!account.customers.has(customer)) {
    return {
      meterId,
      code: 'meter_event_customer_not_found',
      message: `No such customer: '${customer}'`,
    };
  }
  if (meter.default_aggregation.formula === 'count') return { meterId, customer, value: ZERO };
  const valueKey = meter.value_settings.event_payload_key;
  const value = readDecimal(payload[valueKey] ?? '');
  if (value === null) {
    const message = `The event payload has no plain decimal under the key ${valueKey}.`;
    return { meterId, code: 'meter_event_invalid_value', message };
  }
  return { meterId, customer, value };
}

interface Refused {
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusal(version: ApiVersion, { code, message, headers }: Refused): ApiFailure {
  const error = { type: 'invalid_request_error', message } as const;
  return new ApiFailure(400, version === 'v2' ? { ...error, code } : error, headers);
}
