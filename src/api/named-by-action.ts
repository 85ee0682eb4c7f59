import { hash } from 'node:crypto';
import type { JsonObject } from '../events/foreign/foreign-value.ts';
import type { ActionAsked } from '../keys/act-once.ts';
import type { Route } from './route.ts';

/**
 * Names an action that its own id makes one: it has the same id each time that it is asked under one Idempotency-Key, by
 * whichever door, so that it is done once even where nobody knows any more that it was.
 */
export function namedByAction(
  { namedBy }: Pick<Route, 'namedBy'>,
  given: JsonObject | null,
  { keyId, idempotencyKey }: Pick<ActionAsked, 'keyId' | 'idempotencyKey'>,
): JsonObject | null {
  if (namedBy === null || (given?.[namedBy] ?? null) !== null) return given;
  const id = hash('sha256', `${keyId}\u0000${idempotencyKey}`).slice(0, 32);
  return { ...given, [namedBy]: `http-${id}` };
}
