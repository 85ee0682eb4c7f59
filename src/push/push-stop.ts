import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import type { PushTarget } from './push-target.ts';

/** The end of a push for every tenant: a failure with one, or with several in a row, would repeat with all. */
export interface PushStop {
  /** The reason why no further request may go out; null while they may. */
  reason(): Fault | null;
  /** The same, where it is that the destination fails whoever asks it, so that nothing else need be asked. */
  outage(): Fault | null;
  refuse(fault: Fault): void;
  /**
   * Takes note that the destination works: what was told was taken or refused, or a count was read for whoever is told
   * nothing. A count that is read on the way says nothing: it may be answered where nothing that is told is.
   */
  answered(): void;
  /** Takes note of a tenant of which every try came to nothing. */
  unanswered(target: Pick<PushTarget, 'tenantId' | 'periodStart'>, last: LastTry): void;
}

/** How the last try of a tenant came to nothing. */
export interface LastTry {
  readonly detail: string;
  /** Whether nothing came that the destination would say; else it said that it could not. */
  readonly isSilent: boolean;
}

/**
 * Without it, a service that never answers, or only that it cannot, would be tried with each of ten thousand tenants,
 * a minute and more for each. Tenants are counted and not requests, so that one whose requests never come back stops
 * nobody else. Faults that the destination names need one tenant more than are in work at once: it keeps such an answer
 * under the request's key and repeats it, so that one bad second makes all of those in work come to nothing.
 */
export function openPushStop(tenantsAtOnce: number): PushStop {
  const unanswered = new Set<string>();
  let refused: Fault | null = null;
  let outage: Fault | null = null;
  return {
    reason: () => refused ?? outage,
    outage: () => outage,
    refuse(fault) {
      refused ??= fault;
    },
    answered: () => unanswered.clear(),
    unanswered({ tenantId, periodStart }, { detail, isSilent }) {
      unanswered.add(tenantId);
      if (unanswered.size < tenantsAtOnce + (isSilent ? 0 : 1)) return;
      const push = { operation: 'push', month: periodStart.slice(0, 7) } as const;
      const does = isSilent ? 'does not answer' : 'answers only that it cannot';
      outage ??= {
        fault: `stopped for every tenant: Stripe ${does}, and ${unanswered.size} tenants in a row were tried; the last was "${tenantId}": ${detail}`,
        remedy: advise`run ${push} again once Stripe is back; what was sent stays sent until that run decides it, so that nothing is lost or told twice`,
      };
    },
  };
}
