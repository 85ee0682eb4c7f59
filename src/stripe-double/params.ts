import { z } from 'zod';
import { invalidRequest } from './api-failure.ts';

/** Form encoding carries text only, so numbers and flags are read from text. */
export const text = z.string().min(1);
export const wholeNumber = z
  .string()
  .regex(/^-?\d{1,15}$/)
  .transform(Number);
export const unixSeconds = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** A list is sent as `a[0]`, `a[1]`…, which `readForm` gives as named parameters. */
export function listOf<S extends z.ZodType>(item: S) {
  return z.preprocess(
    (value) => (typeof value === 'object' && value !== null ? Object.values(value) : value),
    z.array(item),
  );
}

/** The parameter is accepted everywhere; what has an effect is an invoice's subscription, and nothing else. */
export const expandable = { expand: listOf(text).optional() };

export const pageParams = {
  ...expandable,
  limit: wholeNumber.optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
};

/** Reads parameters by a schema. Throws Stripe's 400 with the first thing that is wrong. */
export function readParams<P>(schema: z.ZodType<P>, params: unknown): P {
  const read = schema.safeParse(params);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  if (issue === undefined) throw invalidRequest('Invalid request.');
  if (issue.code === 'unrecognized_keys') {
    const param = paramName([...issue.path, issue.keys[0] ?? '']);
    const message = `Received unknown parameter: ${param} (or one that the Stripe double does not model)`;
    throw invalidRequest(message, { code: 'parameter_unknown', param });
  }
  const param = paramName(issue.path);
  if (valueAt(params, issue.path) === undefined) {
    throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
  }
  throw invalidRequest(`Invalid ${param}: ${issue.message}`, { param });
}

function paramName(path: readonly PropertyKey[]): string {
  const [head = '', ...rest] = path.map(String);
  return head + rest.map((name) => `[${name}]`).join('');
}

function valueAt(params: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Object.entries(value).find(([key]) => key === String(name))?.[1];
  }, params);
}
