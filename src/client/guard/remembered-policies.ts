import type { ReserveAsked } from './reserve-asked.ts';

/** The last known policies of budgets for when they cannot be asked, by whom they are about. */
export class RememberedPolicies {
  readonly #of = new Map<string, 'allow' | 'deny'>();

  remember(asked: ReserveAsked, policy: 'allow' | 'deny'): void {
    const key = keyOf(asked);
    this.#of.delete(key);
    this.#of.set(key, policy);
    const [oldest] = this.#of.keys();
    if (this.#of.size > MOST_REMEMBERED && oldest !== undefined) this.#of.delete(oldest);
  }

  of(asked: ReserveAsked): 'allow' | 'deny' | undefined {
    return this.#of.get(keyOf(asked));
  }
}

const MOST_REMEMBERED = 10_000;

function keyOf(asked: ReserveAsked): string {
  return JSON.stringify([asked.tenant_id, asked['feature'], asked['user_id'], asked['tags']]);
}
