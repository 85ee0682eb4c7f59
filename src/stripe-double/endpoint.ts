import type { z } from 'zod';
import type { Account } from './account.ts';
import { readParams } from './params.ts';

/** One request, as an endpoint sees it. */
export interface Call {
  readonly account: Account;
  /** The `:names` of the path. */
  readonly ids: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
}

type Method = 'GET' | 'POST' | 'DELETE';

/**
 * What an endpoint does, in Stripe's two steps. Reading the parameters and `check` come before the
 * endpoint starts executing: a failure there is not saved under the idempotency key. What `run`
 * answers or throws is.
 */
export interface EndpointDefinition<P> {
  readonly method: Method;
  /** The path has named parts, such as `/v1/billing/meters/:id`. */
  readonly path: string;
  readonly params: z.ZodType<P>;
  readonly check?: (call: Call, params: P) => void;
  /** Only one call with the same lock may be in flight; null when nothing is locked. */
  readonly lock?: (call: Call, params: P) => string | null;
  readonly run: (call: Call, params: P) => object;
}

export interface Endpoint {
  readonly method: Method;
  readonly path: string;
  /** Throws an ApiFailure that is not to be saved. */
  readonly prepare: (call: Call, params: unknown) => Execution;
}

/** A request that passed validation and is ready to execute. */
interface Execution {
  readonly lock: string | null;
  readonly run: () => object;
}

export function endpoint<P>(definition: EndpointDefinition<P>): Endpoint {
  return {
    method: definition.method,
    path: definition.path,
    prepare: (call, raw) => {
      const params = readParams(definition.params, raw);
      definition.check?.(call, params);
      return {
        lock: definition.lock?.(call, params) ?? null,
        run: () => definition.run(call, params),
      };
    },
  };
}

/** The names in a path that fits the pattern; null when it does not fit. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const ids: [string, string][] = [];
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (!part.startsWith(':')) {
      if (part !== value) return null;
    } else {
      if (value === '') return null;
      ids.push([part.slice(1), decodeURIComponent(value)]);
    }
  }
  return Object.fromEntries(ids);
}

export function pathId(call: Call): { readonly id: string } {
  return { id: call.ids['id'] ?? '' };
}
