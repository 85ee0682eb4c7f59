import type { Remedy } from './remedy.ts';

/**
 * The one error family for what a person can mend: a wrong command line, a missing variable, a file
 * that does not fit, a period that may not be closed yet. It names the thing and the rule in its
 * message and says the remedy, in plain words or with operations in them. Anything else that is thrown is a fault of ours or of a machine.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: RefusalKind;
  readonly remedy: Remedy;

  constructor(kind: RefusalKind, message: string, remedy: string | Remedy) {
    super(message);
    this.kind = kind;
    this.remedy = typeof remedy === 'string' ? [remedy] : remedy;
  }
}

/**
 * The nature of a refusal, whichever room raised it. Every door has one table from these kinds to its
 * own answers: the command line to exit codes, the HTTP server to statuses.
 *
 * - `bad_request`: what was asked cannot be answered as it was written, such as an option that is out of
 *   range or a path that cannot be read.
 * - `bad_document`: a file or a message was read, and its content does not fit.
 * - `misconfigured`: the environment, or an account or a server behind it, is not set up as it must be.
 * - `not_found`: there is no such thing.
 * - `conflict`: the request contradicts what stands already.
 * - `too_early`: the same request is right once something else has happened, such as the end of a period.
 * - `incomplete`: what the answer needs is missing, such as a price.
 * - `not_permitted`: who asks may not do this, or a service does not let us do it.
 * - `unavailable`: a service that the answer needs cannot be asked now.
 * - `over_budget`: a budget denies it.
 * - `not_migrated`: the database's schema is not the one that this program works with.
 */
export type RefusalKind =
  | 'bad_request'
  | 'bad_document'
  | 'misconfigured'
  | 'not_found'
  | 'conflict'
  | 'too_early'
  | 'incomplete'
  | 'not_permitted'
  | 'unavailable'
  | 'over_budget'
  | 'not_migrated';
