import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import { releaseHold } from '../../src/budgets/release-hold.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { clockAt, NOON, putBudget, reserve } from '../support/budgets.ts';
import { freshDatabase, reopen, terminateBackends, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/**
 * Callers on connections of their own reserve, report, release and die in any order, while folds count. Every call
 * comes to what it reserved, so whatever happens: what is spent and held never passes the limit.
 */
const RUNS = Number(process.env['SPANLEDGER_CASES'] ?? 6);

/** 1000 × 3.00 µ for each thousand tokens of input. */
const LIMIT = '0.03';

const callers = fc.array(
  fc.array(
    fc.record({
      thousands: fc.integer({ min: 1, max: 4 }),
      feature: fc.constantFrom('search', null),
      /** Its event comes, or it is released, or it is lost: by an expiry, or by the caller's death. */
      end: fc.constantFrom('event', 'event', 'release', 'expire', 'nothing'),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  { minLength: 2, maxLength: 5 },
);

it('what was admitted never passes the limit, whatever is interleaved, expires or is killed', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(callers, fc.boolean(), async (plans, kills) => {
      const database = await freshDatabase();
      await importBooks(database, 'standard', 'cost');
      await makeTenant(database, 'acme');
      await putBudget(database, { amount: LIMIT });
      await putBudget(database, { per: 'day', amount: '0.018', feature: 'search' });
      const work = Promise.allSettled(
        plans.map((calls, caller) => runCaller(reopen(database.url, 2), calls, caller)),
      );
      const watching = { over: false };
      const watcher = watch(database, watching);
      if (kills) await terminateBackends(database.name);
      await work;
      watching.over = true;
      expect(await watcher).toEqual([]);
      await foldAll(database, systemClock);
      expect(await passed(database)).toEqual([]);
      const laws = await checkLaws(
        { database, clock: systemClock, checkStripe: null },
        { scope: 'full', published: [] },
      );
      expect(laws.find(({ law }) => law === 10)?.violations).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

type Call = { readonly thousands: number; readonly feature: string | null; readonly end: string };

/** A caller that loses its connection is dead: what it had reserved stays held. */
async function runCaller(database: Database, calls: readonly Call[], caller: number) {
  for (const [place, { thousands, feature, end }] of calls.entries()) {
    const tokens = { input_tokens: thousands * 1000, max_output_tokens: 0, feature };
    const seconds = end === 'expire' ? 1 : 600;
    const { hold_id } = await reserve(database, { ...tokens, expires_in_seconds: seconds });
    if (hold_id === null) continue;
    if (end === 'event') {
      const event = {
        ...{ event_id: `${caller}-${place}`, hold_id, feature, occurred_at: NOON },
        usage: { input_tokens: thousands * 1000, output_tokens: 0 },
      };
      await receiveEvents(database, [nativeEvent(event)]);
      await foldAll(database, systemClock);
    }
    if (end === 'release') {
      const request = { hold_id, tenant_id: null, actor: 'caller' };
      await releaseHold({ database, clock: clockAt(NOON) }, request);
    }
  }
}

/** Looks at every instant that it can; a look that a kill ends is no look. */
async function watch(database: Database, watching: { readonly over: boolean }) {
  while (!watching.over) {
    const found = await passed(database).catch(() => []);
    if (found.length > 0) return found;
  }
  return [];
}

function passed(database: Database) {
  return textRows(
    database,
    `select b.budget_id, c.time_key, c.spent, c.held, b.amount from budget_counters c
     join budgets b on b.budget_id = c.budget_id where c.spent + c.held > b.amount or c.held < 0`,
  );
}
