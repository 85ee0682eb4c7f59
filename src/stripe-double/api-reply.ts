import { ApiFailure } from './api-failure.ts';
import type { Fault } from './fault.ts';

/** An answer and how the connection is to treat it. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `send` it whole, `cut` it in the middle of the body, or `reset` the connection instead. */
  readonly transport: 'send' | 'cut' | 'reset';
}

const JSON_HEADERS = { 'content-type': 'application/json' };

export function jsonReply(status: number, body: object): Reply {
  return {
    status,
    headers: JSON_HEADERS,
    body: JSON.stringify(body),
    transport: 'send',
  };
}

export function failureReply(failure: ApiFailure): Reply {
  const reply = jsonReply(failure.status, { error: failure.error });
  return { ...reply, headers: { ...JSON_HEADERS, ...failure.headers } };
}

/**
 * Returns the answer of a fault that comes before anything is done; null for one that comes later.
 */
export function replyInstead(fault: Fault): Reply | null {
  switch (fault.kind) {
    case 'reset_before_apply':
      return { ...jsonReply(500, {}), transport: 'reset' };
    case 'rate_limit':
      return failureReply(rateLimited(fault));
    case 'lock_timeout':
      return failureReply(lockTimeout());
    case 'html_503':
      return htmlReply();
    case 'error':
      return failureReply(injected(fault, fault.status));
    case 'apply_then_reset':
    case 'cut_body':
    case 'stored_500':
    case 'hold':
      return null;
  }
}

/** Makes an ApiFailure of a fault, such as the 500 that is saved under the idempotency key. */
export function injected(fault: Fault, status: number): ApiFailure {
  return new ApiFailure(status, {
    type: status < 500 ? 'invalid_request_error' : 'api_error',
    message: fault.message,
    ...(fault.code === undefined ? {} : { code: fault.code }),
  });
}

function rateLimited(fault: Fault): ApiFailure {
  const headers = fault.reason === undefined ? {} : { 'stripe-rate-limited-reason': fault.reason };
  const message = 'Too many requests hit the API too quickly.';
  return new ApiFailure(429, { type: 'rate_limit_error', code: 'rate_limit', message }, headers);
}

/** Stripe sends this when an object is being worked on elsewhere; the SDK is told to retry. */
function lockTimeout(): ApiFailure {
  return new ApiFailure(
    429,
    {
      type: 'invalid_request_error',
      code: 'lock_timeout',
      message: 'This object cannot be accessed right now because another request is using it.',
    },
    { 'stripe-should-retry': 'true' },
  );
}

function htmlReply(): Reply {
  return {
    status: 503,
    headers: { 'content-type': 'text/html' },
    body: '<html><body><h1>503 Service Unavailable</h1></body></html>',
    transport: 'send',
  };
}
