import type { ReserveAsked } from './reserve-asked.ts';

type Policy = 'allow' | 'deny';

/**
 * What budgets said to do when they cannot be asked, by whoever they are about. A run may have budgets of its own, so it is
 * remembered by itself; one that was never heard of is taken for another run of the same.
 */
export class RememberedPolicies {
  readonly #of = new Map<string, Policy>();

  remember(asked: ReserveAsked, policy: Policy): void {
    this.#keep(keyOf(asked, asked['agent_run_id']), policy);
    this.#keep(keyOf(asked, ANY_RUN), policy);
  }

  of(asked: ReserveAsked): Policy | undefined {
    return this.#of.get(keyOf(asked, asked['agent_run_id'])) ?? this.#of.get(keyOf(asked, ANY_RUN));
  }

  #keep(key: string, policy: Policy): void {
    this.#of.delete(key);
    this.#of.set(key, policy);
    const [oldest] = this.#of.keys();
    if (this.#of.size > MOST_REMEMBERED && oldest !== undefined) this.#of.delete(oldest);
  }
}

const MOST_REMEMBERED = 10_000;

/** No run has this for its id, which is a text or null. */
const ANY_RUN = false;

function keyOf(asked: ReserveAsked, run: unknown): string {
  return JSON.stringify([asked.tenant_id, asked['feature'], asked['user_id'], asked['tags'], run]);
}
