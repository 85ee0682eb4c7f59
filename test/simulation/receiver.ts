import type { Tried } from '../../src/webhooks/delivery-client.ts';

/** What a receiver of webhooks heard, each time. */
export interface Heard {
  readonly id: string;
  readonly body: string;
}

export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whoever hears of what happens to the ledger: it fails, or takes what it is told and says that it failed. */
export class Receiver {
  readonly heard: Heard[] = [];
  random: () => number;
  /** Chances of each of both, 0 to 1. */
  failing = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  take({ headers, body }: Signed): Tried {
    const isFailing = this.failing > 0 && this.random() < this.failing;
    if (!isFailing || this.random() < 0.5) {
      this.heard.push({ id: headers['webhook-id'] ?? '', body });
    }
    return isFailing
      ? { kind: 'failed', answer: 'no answer in time', retryAfter: null }
      : { kind: 'taken', answer: 'status 200', retryAfter: null };
  }
}
