import { z } from 'zod';
import { listOf } from '../fields.ts';

export const sendRequest = z.strictObject({
  /** The encoding in which packs travel. */
  encoding: z.enum(['zstd', 'plain']),
  /** The time that the queue is given to take the last of it. */
  wait_seconds: z.int().positive(),
});
export type SendRequest = z.output<typeof sendRequest>;

/** A line that was not sent, and why. */
const refusedLine = z.strictObject({ line: z.int(), reason: z.string(), detail: z.string() });
export type RefusedLine = z.infer<typeof refusedLine>;

export const sendAnswer = z.strictObject({
  sent: z.int(),
  refused: z.int(),
  /** What did not reach the queue. */
  not_sent: z.int(),
  /** The first of the lines that were refused. */
  refusals: listOf(refusedLine),
});
export type SendAnswer = z.infer<typeof sendAnswer>;
