import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import type { PushTarget } from './push-target.ts';

/** What ends a push for every tenant: what failed with one, or with so many in a row, would fail with all. */
export interface PushStop {
  /** The reason why no further request may go out; null while they may. */
  reason(): Fault | null;
  /** The same, where it is that nobody answers. */
  silence(): Fault | null;
  refuse(fault: Fault): void;
  /**
   * Takes note that somebody is there: what was told was answered, or a count was read for whoever is told nothing. A
   * count that is read on the way says nothing: it may be answered where nothing that is told is.
   */
  answered(): void;
  /** Takes note of a tenant of which every try came to nothing; `detail` says how the last one ended. */
  unanswered(target: Pick<PushTarget, 'tenantId' | 'periodStart'>, detail: string): void;
}

/**
 * Without it, a service that takes connections and never answers would be waited for with each of ten thousand
 * tenants, a minute and more for each. Tenants are counted and not requests, so that one whose requests
 * never come back stops nobody else.
 */
export function openPushStop(mostUnanswered: number): PushStop {
  const unanswered = new Set<string>();
  let refused: Fault | null = null;
  let silence: Fault | null = null;
  return {
    reason: () => refused ?? silence,
    silence: () => silence,
    refuse(fault) {
      refused ??= fault;
    },
    answered: () => unanswered.clear(),
    unanswered({ tenantId, periodStart }, detail) {
      unanswered.add(tenantId);
      if (unanswered.size < mostUnanswered) return;
      const push = { operation: 'push', month: periodStart.slice(0, 7) } as const;
      silence ??= {
        fault: `stopped for every tenant: Stripe does not answer, and ${unanswered.size} tenants in a row were tried; the last was "${tenantId}": ${detail}`,
        remedy: advise`run ${push} again once Stripe answers; what was sent stays sent until that run decides it, so that nothing is lost or told twice`,
      };
    },
  };
}
