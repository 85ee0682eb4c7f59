import { z } from 'zod';

export const workerRequest = z.strictObject({
  /** End once the queue has stayed empty. */
  until_empty: z.boolean(),
  /** Receives under way at most. */
  pollers: z.int().positive(),
});
export type WorkerRequest = z.output<typeof workerRequest>;

/** What a worker did: the messages that it received, and their events by outcome. */
export const workerAnswer = z.strictObject({
  messages: z.int(),
  posted: z.int(),
  duplicate: z.int(),
  conflict: z.int(),
  quarantined: z.int(),
  /** Messages, and parts of them, in which nothing was used. */
  empty: z.int(),
});
export type WorkerAnswer = z.infer<typeof workerAnswer>;
