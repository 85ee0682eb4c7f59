import { z } from 'zod';
import { countField, listOf } from '../../fields.ts';

/** The outcome of one event of a request. */
const TAKEN_OUTCOMES = [
  /** It is in the queue, or on the server's disk on its way there, and a worker posts it. */
  'accepted',
  /** The ledger has it, or had it already; where the server posts itself. */
  'posted',
  'duplicate',
  /** It cannot be posted, and waits in quarantine, where a person sees it. */
  'conflict',
  'quarantined',
  /** Nothing in it was used. */
  'empty',
  /** It is larger than a message of the queue, and is kept nowhere. */
  'too_large',
  /** It was not let in, and is kept nowhere. */
  'refused',
] as const;
export type TakenOutcome = (typeof TAKEN_OUTCOMES)[number];

const takenEvent = z.strictObject({
  /** It is null where the event has no id that can be read. */
  event_id: z.string().nullable(),
  source: z.string().nullable(),
  outcome: z.enum(TAKEN_OUTCOMES),
  /** Why it was not taken; null where it was. */
  reason: z.string().nullable(),
  detail: z.string().nullable(),
});
export type TakenEvent = z.infer<typeof takenEvent>;

/** The events stand in the order of the request. */
export const takenAnswer = z.strictObject({
  /** Events that were taken: those that are posted or will be, and those in which nothing was used. */
  taken: countField,
  not_taken: countField,
  events: listOf(takenEvent),
});
export type TakenAnswer = z.infer<typeof takenAnswer>;
