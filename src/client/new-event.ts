import type { InstantMs } from '../clock.ts';
import type { NativeEvent } from '../events/native-event.ts';
import { parseNativeEvent } from '../events/native-event.ts';
import { fitsMessage, LARGEST_MESSAGE_BYTES } from './message-body.ts';
import { uuid7 } from './uuid7.ts';

/**
 * The native event, as an application hands it over. Only its id may be left out;
 * `occurred_at` may not, because the instant of the call is not the instant of its recording (R2).
 */
export type NewEvent = Frozen<Omit<NativeEvent, 'event_id'>> & {
  readonly event_id?: string | undefined;
};

type Frozen<Value> = Value extends object
  ? { readonly [Key in keyof Value]: Frozen<Value[Key]> }
  : Value;

/** An event on its way to the queue. */
export interface PreparedEvent {
  readonly kind: 'prepared';
  readonly eventId: string;
  readonly tenantId: string | null;
  /**
   * The JSON has no line breaks and is ASCII only, so that its length is its size and SQS takes
   * every character.
   */
  readonly json: string;
}

export interface RefusedEvent {
  readonly kind: 'refused';
  readonly reason: 'invalid_field' | 'not_understood' | 'occurred_in_future' | 'too_large';
  /** The field, its value's type and what is allowed, in the words that a quarantine would use. */
  readonly detail: string;
}

/** Reads an event as the worker will read it, so that what it would quarantine is refused here. */
export function prepareEvent(event: NewEvent, now: InstantMs): PreparedEvent | RefusedEvent {
  const reading = parseNativeEvent(withId(event, now), now);
  if (reading.kind === 'refused') return reading;
  const { native } = reading;
  const json = toAscii(JSON.stringify(native));
  if (!fitsMessage(json)) {
    const detail = `the event has ${json.length} bytes and does not fit a message of ${LARGEST_MESSAGE_BYTES}, compressed neither; send its members in several events`;
    return { kind: 'refused', reason: 'too_large', detail };
  }
  return { kind: 'prepared', eventId: native.event_id, tenantId: tenantOf(native), json };
}

/** Reads back what was prepared by this client or an earlier one; null for what is none of it. */
export function readPrepared(json: string): PreparedEvent | null {
  try {
    const native: unknown = JSON.parse(json);
    if (!isNative(native) || !fitsMessage(json)) return null;
    return { kind: 'prepared', eventId: native.event_id, tenantId: tenantOf(native), json };
  } catch {
    return null;
  }
}

function isNative(value: unknown): value is NativeEvent {
  return typeof value === 'object' && value !== null && 'event_id' in value;
}

/** Whatever an untyped caller hands over reaches the schema, which says what is wrong with it. */
function withId(event: NewEvent, now: InstantMs): unknown {
  const isObject = typeof event === 'object' && event !== null;
  if (!isObject || event.event_id !== undefined) return event;
  return { ...event, event_id: uuid7(now) };
}

/**
 * Returns the tenant whose burst the limit protects others from; a batched request over several
 * tenants is nobody's.
 */
function tenantOf(native: NativeEvent): string | null {
  if (native.members != null) return null;
  return native.tenant_id ?? native.customer_id ?? null;
}

/** Writes the same JSON in characters of a byte each. */
export function toAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
