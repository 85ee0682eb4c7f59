import type { InstantMs } from '../clock.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import type { Fault } from '../remedy.ts';
import type { DestinationKind, Intent } from './intent.ts';
import type { Memory } from './intent-state.ts';
import type { PushTarget } from './push-target.ts';

/** The parts of a push, with the destinations in order of preference. */
export interface PushParts extends Parts {
  /** Part of every identifier, so that no other ledger on the same account makes the same one. */
  readonly ledgerName: string;
  readonly destinations: readonly Destination[];
  /**
   * What of closed periods is no longer what their entries give, by `periodKey`; a period that is as it was
   * frozen is left out. None of the others is told anything.
   */
  readonly findChanged: (targets: readonly PushTarget[]) => Promise<ReadonlyMap<string, Fault>>;
}

/**
 * Something that is told of a closed period and bills it. The push keeps intents, their states and their
 * order, and decides by counts; a destination says what it can take, looks at the customer, tells
 * one intent and reads what it has counted. It keeps no state of an intent itself.
 */
export interface Destination {
  readonly kind: DestinationKind;
  /** The account that is told, and whether it bills real money; both are kept with each intent. */
  readonly origin: Origin;
  /** The name of what it counts in a message, as in "Stripe's summary says 7". */
  readonly countName: string;
  readonly memory: Memory;
  /**
   * Says where the usage of a period would be told, or why nowhere, with the remedy. Nobody is
   * asked.
   */
  describe(target: PushTarget): Address | Fault;
  /**
   * Says why this intent is not this account's to tell or to compare, with the remedy; null when it
   * is.
   */
  disown(intent: Intent): Fault | null;
  /** Says why it cannot take this value now, so that another is asked; null when it can. Nobody is asked. */
  objectTo(told: Told): Promise<string | null>;
  /**
   * Whether a person has settled what is wrong with what it bills of a period, or as much as it bills beyond what is on
   * record: what it counts beyond that is explained then, and keeps nobody else from being told.
   */
  isExcused(period: Pick<PushTarget, 'tenantId' | 'periodStart' | 'currency'>): Promise<boolean>;
  /** Looks at a channel, once a run and before the first request; refuses if it would lose what it is told. */
  checkChannel(channel: string): Promise<void>;
  /** Looks at the customer before anything is told; why it would not be billed there, or null when it would. */
  lookAt(whom: Whom): Promise<Obstacle | null>;
  /**
   * Sends the body of an intent, the same bytes each time, once, and nothing from that instant on. Fails
   * only with what is no answer at all.
   */
  tell(intent: Intent, until: InstantMs): Promise<TellAnswer>;
  /**
   * Does what is left to do of an intent that is counted, before it is kept as confirmed: nobody heard the answer, so
   * that whoever told it may have died half-way. Fails where it cannot be done now; doing it twice does it once.
   */
  finish(intent: Intent): Promise<void>;
  /**
   * What it counts of a period for a customer; null where it cannot be asked. A low figure may lag; a
   * figure that no push of ours can have made is a `ForeignCount`.
   */
  readCount(question: CountQuestion): Promise<bigint | null>;
  /** What final invoices bill of these periods, by `periodKey`; a period without one is left out. */
  readBilled(of: {
    readonly month: string | null;
    readonly tenantId: string | null;
  }): Promise<ReadonlyMap<string, bigint>>;
}

interface Origin {
  readonly livemode: boolean;
  /** It is null where it is not known. */
  readonly account: string | null;
}

export interface Address {
  readonly customer: string;
  readonly channel: string;
}

export interface Told {
  readonly target: PushTarget;
  readonly valueMicro: bigint;
  /** Unix seconds. */
  readonly eventTimestamp: number;
}

/** A value that is about to be told, and the customer that would be billed. */
interface Whom extends Told, Address {}

/** An obstacle for one tenant, which another destination may not have. */
export interface Obstacle extends Fault {
  readonly isOnlyHere: boolean;
}

interface CountQuestion extends Address {
  /** Whether a figure of some hours ago will do, so that those who ask every hour do not use up what may be read. */
  readonly mayBeOld: boolean;
  readonly tenantId: string;
  readonly periodStart: string;
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
}

/** The meaning of an answer, or of the lack of one, for an intent. */
export type TellAnswer =
  | { readonly kind: 'delivered'; readonly how: string }
  /** Nothing is known; the same request again is safe while the destination remembers its identifier. */
  | {
      readonly kind: 'unknown';
      readonly detail: string;
      readonly retryAfterMs: number | null;
      /** Whether it was refused for a limit of requests, which passes by itself. */
      readonly isLimited?: boolean;
      /** Whether nothing came that the destination would say, not even that it could not. */
      readonly isSilent?: boolean;
    }
  /** It is nothing about this tenant: no request may follow until a person looked. */
  | { readonly kind: 'systemic'; readonly detail: string }
  /** A refusal of earlier is repeated for this one request, whose cause is mended: its count will tell. */
  | { readonly kind: 'replayed'; readonly detail: string }
  /** It is dated in the destination's future: nothing was taken, and time or a clock that is set right mends it. */
  | { readonly kind: 'early'; readonly detail: string }
  /** This one request is refused for good. */
  | { readonly kind: 'refused'; readonly detail: string };

/** What fails now would fail for every tenant: the run sends nothing more. */
export class EveryTenantRefused extends Refusal {}

/** However often it was asked, nothing came that the destination would say, or only that it could not. */
export class NoAnswer extends Refusal {
  readonly isSilent: boolean;

  constructor(message: string, remedy: string, { isSilent }: { readonly isSilent: boolean }) {
    super('unavailable', message, remedy);
    this.isSilent = isSilent;
  }
}

/**
 * Returns the reason why one tenant, invoice or period is refused, which hides no other's. What
 * would fail for every tenant, what nobody answers, and a fault of ours are thrown.
 */
export function refusalOfOne(error: unknown): string {
  if (!isOfOne(error)) throw error;
  return error.message;
}

/** Whether it was refused for one tenant, invoice or period, and says nothing of any other. */
export function isOfOne(error: unknown): error is Refusal {
  return (
    error instanceof Refusal &&
    !(error instanceof EveryTenantRefused) &&
    error.kind !== 'unavailable'
  );
}

/** A count that no push of ours can have made, such as a fraction; `shown` is the figure. */
export class ForeignCount extends Refusal {
  readonly shown: string;

  constructor(shown: string, message: string, remedy: string) {
    super('conflict', message, remedy);
    this.shown = shown;
  }
}

export function isAddress(described: Address | Fault): described is Address {
  return 'channel' in described;
}

/** Answers undefined where an intent names a destination that is not handed in. */
export function destinationOf(
  { destinations }: Pick<PushParts, 'destinations'>,
  intent: Pick<Intent, 'destination'>,
): Destination | undefined {
  return destinations.find(({ kind }) => kind === intent.destination);
}
