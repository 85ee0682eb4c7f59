import type { InstantMs } from '../../src/clock.ts';
import { monthAfter } from '../../src/clock.ts';

/** What a producer said of one call, as the oracle reckons with it. */
export interface SaidCall {
  readonly eventId: string;
  /** Null for a call that names nobody. */
  readonly tenantId: string | null;
  readonly occurredAt: InstantMs;
  readonly model: 'gpt-4o' | 'gpt-4o-mini';
  readonly status: 'ok' | 'error';
  readonly input: number;
  readonly output: number;
  readonly holdId: string | null;
  /** A call that no ledger can take: it has less than no tokens. */
  readonly isBroken: boolean;
  /** The tenants among whom a batched request is split, by the number of each; null for a call of one. */
  readonly members: readonly (string | null)[] | null;
}

/** What was promised to a call that may come. */
export interface Promised {
  readonly holdId: string;
  readonly input: number;
  readonly output: number;
  /** `asked` is not answered, so that it may stand or not. */
  state: 'asked' | 'admitted' | 'denied' | 'releasing' | 'released';
}

/** Money without a call that an operator gave or took. */
export interface Adjusted {
  readonly id: string;
  readonly tenantId: string;
  readonly amount: bigint;
  /** The operator was answered; else it may be there or not. */
  isPosted: boolean;
}

/** What an operator says a call has come to; no two say the same. */
export interface Corrected {
  readonly eventId: string;
  /** Null takes it back for good. */
  readonly output: number | null;
  isPosted: boolean;
}

/** All that was accepted: what the oracle knows, and nothing of how it got into the ledger. */
export interface Accepted {
  /** What was said under each id, each content once, in the order in which it was said. */
  readonly calls: Map<string, SaidCall[]>;
  readonly promised: Map<string, Promised>;
  readonly adjusted: Map<string, Adjusted>;
  readonly corrected: Corrected[];
}

export interface SimulatedTenant {
  readonly tenantId: string;
  readonly mode: 'live' | 'shadow';
  readonly timeZone: string;
  /** The distance to UTC, the same on every day. */
  readonly offsetMs: number;
}

const MINUTE_MS = 60_000;

/** One more, by whom the budget is tried, has a limit. */
export const BOXED = 'boxed';
export const BOXED_LIMIT = '0.002';
const PICO_LIMIT = 2_000_000_000n;

export const TENANTS: readonly SimulatedTenant[] = [
  { tenantId: 'acme', mode: 'live', timeZone: 'UTC', offsetMs: 0 },
  { tenantId: 'kathmandu', mode: 'live', timeZone: 'Asia/Kathmandu', offsetMs: 345 * MINUTE_MS },
  { tenantId: BOXED, mode: 'shadow', timeZone: 'UTC', offsetMs: 0 },
];

/** The prices of the book `standard`, in picodollars a token. */
const PRICES = {
  'gpt-4o': { input: 3_000_000n, output: 12_000_000n },
  'gpt-4o-mini': { input: 200_000n, output: 800_000n },
} as const;

/** What the tenant owes for a call, in picodollars. */
export function chargeOf({ model, status, input, output, tenantId }: SaidCall): bigint {
  if (status !== 'ok' || tenantId === null) return 0n;
  return BigInt(input) * PRICES[model].input + BigInt(output) * PRICES[model].output;
}

function estimateOf({ input, output }: Promised): bigint {
  return (
    BigInt(input) * PRICES['gpt-4o-mini'].input + BigInt(output) * PRICES['gpt-4o-mini'].output
  );
}

/** What each member of a batched request has of it: whole tokens, of which the rest goes to those that come first. */
export function partsOf(
  call: SaidCall,
): readonly { readonly memberId: string; readonly part: SaidCall }[] {
  const { members, input, output } = call;
  if (members === null) return [{ memberId: '', part: call }];
  const share = (all: number, place: number) =>
    Math.floor(all / members.length) + (place < all % members.length ? 1 : 0);
  return members.map((tenantId, place) => ({
    memberId: `m${place}`,
    part: { ...call, tenantId, input: share(input, place), output: share(output, place) },
  }));
}

/** What a call is as its producer writes it. */
export function eventOf(call: SaidCall): object {
  const { eventId, tenantId, occurredAt, model, status, input, output, holdId, isBroken } = call;
  const members = call.members?.map((tenant, place) => ({
    member_id: `m${place}`,
    ...(tenant === null ? {} : { tenant_id: tenant }),
  }));
  return {
    event_id: eventId,
    occurred_at: new Date(occurredAt).toISOString(),
    status,
    provider: 'openai',
    requested_model: model,
    ...(tenantId === null ? {} : { tenant_id: tenantId }),
    ...(members === undefined ? {} : { members }),
    ...(holdId === null ? {} : { hold_id: holdId }),
    usage: { input_tokens: isBroken ? -1 : input, output_tokens: output },
  };
}

/** The day on which the period of an instant begins: the first of the tenant's month. */
export function periodOf(tenantId: string | null, instant: InstantMs): string {
  const offset = TENANTS.find((tenant) => tenant.tenantId === tenantId)?.offsetMs ?? 0;
  return `${new Date(instant + offset).toISOString().slice(0, 7)}-01`;
}

/** Whether a bill takes it in: what comes late of a month that was closed in shadow is metered, and billed to nobody. */
export function isDue(
  tenantId: string,
  of: { readonly occurredAt: InstantMs; readonly period: string },
): boolean {
  const isLive = TENANTS.some((tenant) => tenant.tenantId === tenantId && tenant.mode === 'live');
  return isLive || periodOf(tenantId, of.occurredAt) === of.period;
}

export function periodAfter(period: string): string {
  return `${monthAfter(period.slice(0, 7))}-01`;
}

/** Keeps what was said; the same content again is nothing new. */
export function accept({ calls }: Accepted, call: SaidCall): void {
  const said = calls.get(call.eventId) ?? [];
  const text = JSON.stringify(eventOf(call));
  if (!said.some((other) => JSON.stringify(eventOf(other)) === text)) said.push(call);
  calls.set(call.eventId, said);
}

/** What was promised and what came of it never passes the limit; what is wrong with that, or nothing. */
export function passedLimit({ calls, promised }: Accepted): readonly string[] {
  let sum = 0n;
  for (const one of promised.values()) {
    const [call] = calls.get(`e-${one.holdId}`) ?? [];
    if (call !== undefined) sum += chargeOf(call);
    else if (one.state === 'admitted') sum += estimateOf(one);
  }
  return sum > PICO_LIMIT ? [`${sum} pico were promised or spent of ${PICO_LIMIT}`] : [];
}
