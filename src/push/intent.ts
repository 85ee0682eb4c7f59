import { hash } from 'node:crypto';
import type { InstantMs } from '../clock.ts';
import type { PushState } from './intent-state.ts';
import { isSettled } from './intent-state.ts';
import type { PushTarget } from './push-target.ts';

/** The kinds of destination: a meter, an invoice item, or a person who settled a period elsewhere. */
export type DestinationKind = 'meter' | 'invoice_item' | 'settled';

/** A message that a destination was or will be sent: exact, durable before the first request, and never changed. */
export interface Intent {
  readonly tenantId: string;
  readonly periodStart: string;
  readonly sequence: number;
  readonly identifier: string;
  readonly destination: DestinationKind;
  /** The place at the destination where it is counted, such as the event name of a meter. */
  readonly channel: string;
  readonly customer: string;
  /** It is below zero where it takes back what was told before. */
  readonly valueMicro: bigint;
  /** Unix seconds, inside the period. */
  readonly eventTimestamp: number;
  readonly state: PushState;
  readonly attempts: number;
  readonly firstAttemptAt: InstantMs | null;
  readonly lastAnswer: string | null;
  /** Whether real money is billed where it was told; null in rows older than this column. */
  readonly livemode: boolean | null;
  /** The account that was told; null where it was not known. */
  readonly account: string | null;
  /** The instant at which the destination's count first lacked it. */
  readonly absentSince: InstantMs | null;
  /** The instant at which the destination's count was seen to hold it. */
  readonly provenAt: InstantMs | null;
}

export function confirmedSum(intents: readonly Intent[]): bigint {
  return valueSum(intents.filter((intent) => intent.state === 'confirmed'));
}

/** Returns what a person billed elsewhere. */
export function settledSum(intents: readonly Intent[]): bigint {
  return confirmedSum(intents.filter((intent) => intent.destination === 'settled'));
}

/** What was or will be told; what is proven to be missing will be told by its successor. */
export function intendedSum(intents: readonly Intent[]): bigint {
  return valueSum(intents.filter((intent) => intent.state !== 'missing'));
}

/** Returns what these intents say together. */
export function valueSum(intents: readonly Pick<Intent, 'valueMicro'>[]): bigint {
  return intents.reduce((sum, intent) => sum + intent.valueMicro, 0n);
}

/** Tells whether an intent takes back what was told before, since nobody bills that. */
export function isTakeBack({ valueMicro }: Pick<Intent, 'valueMicro'>): boolean {
  return valueMicro < 0n;
}

/** What was taken back, or is about to be, and may be counted still. */
export function unseenTakeBack(intents: readonly Intent[]): bigint {
  const unseen = intents.filter(
    (intent) => isTakeBack(intent) && intent.state !== 'missing' && intent.provenAt === null,
  );
  return -valueSum(unseen);
}

/**
 * Returns the newest first attempt of any intent; counts lag behind it. 0 when nothing was sent.
 */
export function newestAttempt(intents: readonly Intent[]): InstantMs {
  return Math.max(0, ...intents.map((intent) => intent.firstAttemptAt ?? 0));
}

/** The first intent that is neither told nor proven to be missing. */
export function openIntent(intents: readonly Intent[]): Intent | undefined {
  return intents.find((intent) => !isSettled(intent.state));
}

/** Whether every intent of a period is told, and seen in the count of its destination. */
export function isProven(billableMicro: bigint, intents: readonly Intent[]): boolean {
  return (
    confirmedSum(intents) === billableMicro &&
    intents.every(
      ({ state, provenAt }) => isSettled(state) && (state === 'missing' || provenAt !== null),
    )
  );
}

/**
 * Returns an identifier that is the same for the same push, on every machine and after every crash,
 * and no other ledger's on the same account. At most 100 characters, so a long tenant id is cut and
 * told apart by its digest.
 */
export function identifierOf(
  ledgerName: string,
  target: Pick<PushTarget, 'tenantId' | 'periodStart' | 'currency'>,
  sequence: number,
): string {
  const tenant = /^[\w.-]{1,50}$/.test(target.tenantId)
    ? target.tenantId
    : Buffer.from(hash('sha256', target.tenantId, 'buffer')).toString('base64url');
  const { periodStart, currency } = target;
  return `spl-${ledgerName}-${tenant}-${periodStart}-${currency.toLowerCase()}-${sequence}`;
}
