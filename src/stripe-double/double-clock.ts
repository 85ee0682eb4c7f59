import type { Clock, InstantMs } from '../clock.ts';

/**
 * The clock of the double: a base clock, commonly the system's, plus an offset, so that moving it is only an offset and
 * time goes on by itself. While the life cycle of invoices is run it stands at each instant passed
 * on the way, so that what happens there is dated when it would have happened.
 */
export interface DoubleClock {
  readonly now: Clock;
  /** Unix seconds, as most of the API counts time. */
  nowSeconds(): number;
  /** Begins again at that instant, or at the base clock's own where it is null. */
  restart(instant: InstantMs | null): void;
  /** Makes it that instant; the clock goes on from there. */
  moveTo(instant: InstantMs): void;
  /** Stops at an instant until `resume` or `moveTo`. */
  standAt(instant: InstantMs): void;
  /** Goes on as if it had never stood still. */
  resume(): void;
}

export function followClock(base: Clock): DoubleClock {
  let offset = 0;
  let standing: InstantMs | null = null;
  const now = () => standing ?? base() + offset;
  return {
    now,
    nowSeconds: () => Math.floor(now() / 1000),
    restart: (instant) => {
      offset = instant === null ? 0 : instant - base();
      standing = null;
    },
    moveTo: (instant) => {
      offset = instant - base();
      standing = null;
    },
    standAt: (instant) => {
      standing = instant;
    },
    resume: () => {
      standing = null;
    },
  };
}
