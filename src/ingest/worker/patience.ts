import { pause } from '../../clock.ts';
import { sqlState } from '../../database/database.ts';
import { faultOf } from '../../database/database-fault.ts';
import { explainFault, isNotPlanned } from '../../database/explain-fault.ts';
import type { Log } from '../../log.ts';
import type { RefusalKind } from '../../refusal.ts';
import { Refusal } from '../../refusal.ts';
import type { Remedy } from '../../remedy.ts';
import { advise, phraseRemedy } from '../../remedy.ts';

export interface PatienceLimits {
  /** Tries of one batch that the database refuses for a reason of its own, before the worker ends. */
  readonly tries: number;
  /** The time to wait after so many failures in a row, in milliseconds. */
  readonly pauseMs: (failures: number) => number;
}

/** Nine tries with their pauses take about a minute: longer than a lock or a failover usually lasts. */
export const USUAL_PATIENCE: PatienceLimits = { tries: 9, pauseMs: backoffMs };

/**
 * Returns how long to wait before the next try: 0.2 s doubling to 30 s, with jitter so that workers
 * do not come back in step.
 */
export function backoffMs(failures: number): number {
  return Math.min(30_000, 100 * 2 ** Math.min(failures, 9)) * (0.5 + Math.random());
}

/**
 * What the parts of one worker know of its database, and how long they wait for it. A database that is
 * away is waited for without an end, since no event and no message suffers from that. One that answers
 * and refuses is tried so often, and then the worker ends with the reason. Each state is logged once,
 * when it is met and when all that waited have passed, and not at every try.
 */
export class Patience {
  readonly #log: Log;
  readonly #limits: PatienceLimits;
  /** The last fault of each waiting piece of work. */
  readonly #waiting = new Map<object, Met>();
  readonly #ended = new AbortController();

  constructor(log: Log, limits: PatienceLimits) {
    this.#log = log;
    this.#limits = limits;
  }

  /** Something waits for the database now. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** The reason why something waits, as a person reads it; null where nothing does. */
  get reason(): string | null {
    const [met] = this.#waiting.values();
    return met?.reason ?? null;
  }

  /** Aborted when nothing is waited for any more. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** From now on nothing that fails is tried again. */
  end(): void {
    this.#ended.abort();
  }

  /**
   * Runs the work until it passes. Throws a `Refusal` where the database goes on refusing, the last error
   * where the patience was ended, and at once a `Refusal` of the work's own and one for which there is no plan.
   */
  async until<Result>(work: () => Promise<Result>): Promise<Result> {
    const piece = {};
    try {
      let refused = 0;
      for (let failures = 1; ; failures += 1) {
        try {
          return await work();
        } catch (error) {
          if (error instanceof Refusal || this.ended.aborted) throw error;
          if (isNotPlanned(error)) throw explainFault(error) ?? error;
          const isAway = faultOf(error) === 'away';
          if (!isAway) refused += 1;
          if (refused >= this.#limits.tries) throw lastingRefusal(error, refused);
          this.#meet(piece, error);
          await pause(this.#limits.pauseMs(failures), this.ended);
        }
      }
    } finally {
      this.#pass(piece);
    }
  }

  #meet(piece: object, error: unknown): void {
    const met = metBy(error);
    const isKnown = [...this.#waiting.values()].some(({ state }) => state === met.state);
    this.#waiting.set(piece, met);
    if (isKnown) return;
    const { reason, remedy, state } = met;
    const said = { error: String(error), reason, remedy };
    if (faultOf(error) === 'away') this.#log.warn(said, 'database away; receiving stopped');
    else {
      const { tries } = this.#limits;
      this.#log.error({ ...said, state, tries }, 'database refuses; receiving stopped');
    }
  }

  #pass(piece: object): void {
    const waited = this.#waiting.delete(piece);
    if (waited && !this.isWaiting && !this.ended.aborted) this.#log.info('database back');
  }
}

/** What a piece of work met: a SQLSTATE, or that the database is away; why; and who can mend it. */
interface Met {
  readonly state: string;
  readonly reason: string;
  readonly remedy: string;
}

function metBy(error: unknown): Met {
  const state = sqlState(error) ?? (faultOf(error) === 'away' ? 'away' : String(error));
  const explained = explainFault(error);
  const reason = explained?.message ?? (error instanceof Error ? error.message : String(error));
  const remedy = phraseRemedy(explained?.remedy ?? OTHERWISE.remedy, ({ operation }) => operation);
  return { state, reason, remedy };
}

/** The nature of some refusals, by SQLSTATE; every other says that the database cannot serve now. */
const KINDS: Readonly<Record<string, { readonly kind: RefusalKind; readonly remedy: Remedy }>> = {
  42501: {
    kind: 'not_permitted',
    remedy: advise`grant the worker's user what it lacks (${{ operation: 'migrate', roles: true }} grants it to spanledger_worker), and start the worker again`,
  },
  '42P01': {
    kind: 'not_migrated',
    remedy: advise`run ${{ operation: 'migrate', roles: false }}, and start the worker again`,
  },
  42703: {
    kind: 'not_migrated',
    remedy: advise`run ${{ operation: 'migrate', roles: false }}, and start the worker again`,
  },
};

const OTHERWISE = {
  kind: 'unavailable',
  remedy: ['fix what the database reports, and start the worker again'],
} as const;

function lastingRefusal(error: unknown, tries: number): Refusal {
  const state = sqlState(error) ?? 'none';
  const { kind, remedy } = KINDS[state] ?? OTHERWISE;
  const why = error instanceof Error ? error.message : String(error);
  return new Refusal(
    kind,
    `the database refuses to record, after ${tries} tries: ${why} (SQLSTATE ${state}); the events are still in the queue`,
    remedy,
  );
}
