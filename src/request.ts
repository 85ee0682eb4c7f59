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
  refuseUnstorable(given, []);
  const read = schema.safeParse(given);
  if (read.success) {
    refuseReversed(given as DaysGiven);
    return read.data;
  }
  const faults = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new Refusal(
    'bad_request',
    `the request does not fit: ${faults.join('; ')}`,
    'correct the fields that are named, and leave out those that are unknown',
  );
}

/** Refuses an act of which nobody could say later why it was done, or by whom. `what` is the act, as `a correction`. */
export function refuseWithoutNote(
  what: string,
  { reason, actor }: { readonly reason: string; readonly actor: string },
  remedy: string,
): void {
  const hasReason = reason.trim() !== '';
  if (hasReason && actor.trim() !== '') return;
  throw new Refusal(
    'bad_request',
    hasReason ? `${what} needs a name` : `${what} needs a reason`,
    remedy,
  );
}

interface DaysGiven {
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Days that begin after their end hold nothing, which would read as an answer: nothing was used. */
function refuseReversed({ from, to }: DaysGiven): void {
  if (typeof from !== 'string' || typeof to !== 'string' || from < to) return;
  throw new Refusal(
    'bad_request',
    `the request does not fit: "from" (${from}) must be before "to" (${to}); as it is, the range holds no day`,
    'give the first day as "from" and the day after the last as "to"',
  );
}

/** No text of the ledger can hold these, and a name without them would be another name. */
function refuseUnstorable(given: unknown, path: readonly string[]): void {
  if (typeof given === 'string') {
    if (given.isWellFormed() && !given.includes('\u0000')) return;
    const what = given.includes('\u0000') ? 'the character U+0000' : 'half of a pair of surrogates';
    throw new Refusal(
      'bad_request',
      `the request does not fit: ${path.join(': ')} has ${what}, which no text here can hold`,
      'write it without that character',
    );
  }
  if (typeof given !== 'object' || given === null) return;
  for (const [name, value] of Object.entries(given)) {
    refuseUnstorable(name, [...path, 'a name']);
    refuseUnstorable(value, [...path, name]);
  }
}
