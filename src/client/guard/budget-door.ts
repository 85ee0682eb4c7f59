import { z } from 'zod';
import { isObject, parseJson } from '../../events/foreign/foreign-value.ts';
import type { ServerAddress } from '../client-contract.ts';
import { RememberedPolicies } from './remembered-policies.ts';
import type { ReserveAsked } from './reserve-asked.ts';

/** What of the server's answers a guard relies on; whatever else they say is handed on. */
const decision = z.looseObject({
  budget_id: z.string(),
  tenant_id: z.string(),
  measure: z.string(),
  per: z.string(),
  limit: z.string(),
  spent: z.string(),
  held: z.string(),
  left: z.string(),
  currency: z.string().nullable(),
  resets_at: z.string().nullable(),
  verdict: z.string(),
  because: z.string().nullable(),
});
const reserveSaid = z.looseObject({
  verdict: z.enum(['allow', 'warn', 'deny']),
  decided_by: z.string().nullable(),
  retry_after: z.number().nullable(),
  estimate: z.string().nullable(),
  on_unavailable: z.enum(['allow', 'deny']),
  budgets: z.array(decision),
  hold_id: z.string().nullable(),
});
export type BudgetDecisionSaid = z.infer<typeof decision>;
export type ReserveSaid = z.infer<typeof reserveSaid>;

export type Reserved =
  | { readonly kind: 'answered'; readonly answer: ReserveSaid }
  /** The server was asked, and says that nothing can be held for such a call; nothing is. */
  | { readonly kind: 'refused'; readonly problem: ReserveProblem }
  /** It may hold all the same, where only the answer was lost. */
  | { readonly kind: 'unavailable'; readonly cause: unknown };

/** What the server says of a question that it refuses. */
const reserveProblem = z.looseObject({
  status: z.number(),
  kind: z.string(),
  detail: z.string(),
  remedy: z.string(),
});
export type ReserveProblem = z.infer<typeof reserveProblem>;

/**
 * Such a question is refused whenever it is asked, where the server itself says so. What else fails, a key that is not
 * known among it, is a server that cannot be asked.
 */
const REFUSED: ReadonlySet<number> = new Set([400, 403, 404, 409, 422]);

/** A call must not wait for its budget longer than for itself. */
const TIMEOUT_MS = 2_000;

/** The server's routes for budgets, as a caller of models needs them. */
export class BudgetDoor {
  readonly policies = new RememberedPolicies();
  readonly #server: ServerAddress;
  readonly #releases = new Set<Promise<void>>();

  constructor(server: ServerAddress) {
    this.#server = server;
  }

  async reserve(asked: ReserveAsked): Promise<Reserved> {
    try {
      const response = await this.#post('/v1/budgets/reserve', asked);
      const text = await response.text();
      if (REFUSED.has(response.status)) {
        return { kind: 'refused', problem: reserveProblem.parse(JSON.parse(text)) };
      }
      if (response.status !== 200 && response.status !== 402) throw refusalOf(response, text);
      return { kind: 'answered', answer: reserveSaid.parse(JSON.parse(text)) };
    } catch (cause) {
      return { kind: 'unavailable', cause };
    }
  }

  /** Gives back what a call was promised that failed; whoever made it does not wait for that. */
  release(holdId: string, tenantId: string, onFailure: (error: unknown) => void): void {
    const releasing = this.#release(holdId, tenantId)
      .catch(onFailure)
      .finally(() => this.#releases.delete(releasing));
    this.#releases.add(releasing);
  }

  /** Resolves when nothing is being given back any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#releases);
  }

  async #release(holdId: string, tenantId: string): Promise<void> {
    const path = `/v1/budgets/holds/${encodeURIComponent(holdId)}/release`;
    const response = await this.#post(path, { tenant_id: tenantId });
    const text = await response.text();
    // A hold that is not there was never made; but only the server's own answer tells either.
    const isTold = response.status === 200 || response.status === 404;
    if (!isTold || !isObject(parseJson(text))) throw refusalOf(response, text);
  }

  #post(path: string, body: unknown): Promise<Response> {
    const { url, key } = this.#server;
    return fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }
}

function refusalOf(response: Response, text: string): Error {
  return new Error(`the server answered ${response.status}: ${text.slice(0, 500)}`);
}
