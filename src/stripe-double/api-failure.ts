/** An answer that is not 2xx, in the shape of Stripe's error object. Thrown, and sent by the server. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: number;
  readonly error: StripeErrorBody;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    error: StripeErrorBody,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

/** The `error` object of an answer. Without a `code` where Stripe gives none. */
export interface StripeErrorBody {
  readonly type: 'api_error' | 'idempotency_error' | 'invalid_request_error' | 'rate_limit_error';
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
}

/** Makes a 400: the request cannot be understood or may not be. */
export function invalidRequest(
  message: string,
  detail: { readonly code?: string; readonly param?: string } = {},
): ApiFailure {
  return new ApiFailure(400, { type: 'invalid_request_error', message, ...detail });
}

/** Makes a 404 for the object that the path names; a 400 for one that a parameter names. */
export function missingResource(noun: string, id: string, param?: string): ApiFailure {
  const error = { type: 'invalid_request_error', code: 'resource_missing' } as const;
  const message = `No such ${noun}: '${id}'`;
  return param === undefined
    ? new ApiFailure(404, { ...error, message, param: 'id' })
    : new ApiFailure(400, { ...error, message, param });
}
