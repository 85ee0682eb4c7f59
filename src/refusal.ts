/**
 * The one error family for what a person can mend: a wrong command line, a missing variable, a file
 * that does not fit, a period that may not be closed yet. It names the thing and the rule in its
 * message and says the remedy. Anything else that is thrown is a fault of ours or of a machine.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly remedy: string;

  constructor(code: RefusalCode, message: string, remedy: string) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

/** `usage` exits with 2, every other with 1. */
export type RefusalCode =
  | 'usage'
  | 'configuration'
  | 'not_found'
  | 'price_book'
  | 'tenant'
  | 'period'
  | 'unrated'
  | 'stripe'
  | 'correction'
  | 'allocation'
  | 'seal'
  | 'proof'
  | 'migration';
