import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import Stripe from 'stripe';
import type { Database } from '../../src/database/database.ts';
import type { Tables } from '../../src/database/tables.ts';
import { unrepeatedHttpClient } from '../../src/stripe/send-once.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { sdkOver } from './sdk-over.ts';

/** The death of a process: from the chosen await on, nothing that it asks for happens any more. */
export class Crash extends Error {}

/** Where a process dies: at its n-th await of the world, before what it asked for, or just after it. */
export interface CrashPlan {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** Looks at the world at each await instead, before what is asked for, and after it. */
export type Watcher = (place: CrashPlan) => Promise<void>;

export interface CrashingParts {
  readonly parts: StripeParts;
  /** Awaits of database and Stripe so far. */
  awaits(): number;
}

/** Wraps what a process reaches the world by. Without a plan it only counts. */
export function crashing(
  parts: StripeParts,
  double: StripeDouble,
  planned: CrashPlan | Watcher | null,
): CrashingParts {
  const plan = typeof planned === 'function' ? null : planned;
  const watch = typeof planned === 'function' ? planned : null;
  let count = 0;
  let isDead = false;
  const die = () => {
    isDead = true;
    return new Crash(`crashed ${plan?.when} await ${plan?.at}`);
  };
  const step: Step = async (ask, undo) => {
    if (isDead) throw new Crash('already dead');
    count += 1;
    const at = count;
    const isHere = at === plan?.at;
    await watch?.({ at, when: 'before' });
    if (isHere && plan.when === 'before') throw die();
    const answer = await ask();
    await watch?.({ at, when: 'after' });
    if (!isHere) return answer;
    undo?.(answer);
    throw die();
  };
  return {
    parts: { ...parts, database: wrapDatabase(parts.database, step), stripe: client(double, step) },
    awaits: () => count,
  };
}

type Step = <Answer>(
  ask: () => Promise<Answer>,
  undo?: (answer: Answer) => void,
) => Promise<Answer>;

function wrapDatabase(database: Database, step: Step): Database {
  const pool = new Proxy(database.pool, {
    get(real, name) {
      if (name === 'connect') {
        return async () =>
          wrapClient(
            await step(
              () => real.connect(),
              (taken) => taken.release(true),
            ),
            step,
          );
      }
      return stepped(real, name, step);
    },
  });
  return {
    pool,
    bare: pool,
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
  };
}

function wrapClient(client: pg.PoolClient, step: Step): pg.PoolClient {
  return new Proxy(client, { get: (real, name) => stepped(real, name, step) });
}

function stepped(real: object, name: string | symbol, step: Step): unknown {
  const value: unknown = Reflect.get(real, name);
  if (typeof value !== 'function') return value;
  if (name !== 'query') return value.bind(real);
  return (...given: readonly unknown[]) => {
    // A COPY is a stream, handed back at once; its transaction dies at the statements around it.
    if (isStream(given[0])) return Reflect.apply(value, real, given);
    return step(() => Reflect.apply(value, real, given));
  };
}

function isStream(query: unknown): boolean {
  return typeof query === 'object' && query !== null && 'submit' in query;
}

/** The real SDK with the same settings as ours, over an HTTP client that counts and dies. */
function client(double: StripeDouble, step: Step): Stripe {
  const real = unrepeatedHttpClient(Stripe.createNodeHttpClient());
  const httpClient = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'makeRequest') return value.bind(target);
      return (...given: readonly unknown[]) => step(() => Reflect.apply(value, target, given));
    },
  });
  return sdkOver(double, httpClient);
}
