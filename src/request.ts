import type { z } from 'zod';
import { Refusal } from './refusal.ts';

/**
 * Reads what a door was given by the schema of the request: every door makes the JSON of the request of
 * what it was given, and this alone turns it into what the use case takes. Throws a `Refusal` that names
 * each field that does not fit, and each that is none.
 */
export function readRequest<Schema extends z.ZodType>(
  schema: Schema,
  given: z.input<Schema>,
): z.output<Schema> {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new Refusal(
    'bad_request',
    `the request does not fit: ${faults.join('; ')}`,
    'mend what is named, and leave out what is unknown',
  );
}
