import { CLOCKS_AGREE_WITHIN_MS, type Clock, formatInstant, type InstantMs } from '../clock.ts';
import { counted } from '../text/counted.ts';

/**
 * The clock of this process and that of the database do not agree: one of both is wrong, and what would be written now
 * might fall into a wrong month, close one that has not ended, or be told to Stripe a second time.
 */
export class ClocksApart extends Error {
  constructor(own: InstantMs, server: InstantMs) {
    const minutes = Math.round(Math.abs(own - server) / 60_000);
    super(
      `this process has ${formatInstant(own)} and the database ${formatInstant(server)}, ${counted(minutes, 'minute')} apart`,
    );
    this.name = 'ClocksApart';
  }
}

/** Throws `ClocksApart` where they are. */
export function refuseClocksApart(clock: Clock, server: InstantMs): void {
  const own = clock();
  if (Math.abs(own - server) > CLOCKS_AGREE_WITHIN_MS) throw new ClocksApart(own, server);
}
