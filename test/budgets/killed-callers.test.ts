import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import { systemClock } from '../../src/clock.ts';
import { putBudget, reserve } from '../support/budgets.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

const CALLER = fileURLToPath(new URL('../support/budget-caller.ts', import.meta.url));

it('processes that ask at once, and are killed in the middle of it, never pass the limit together', {
  timeout: 120_000,
}, async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const now = new Date(systemClock()).toISOString();
  // A call is 0.0003 to 0.0012: some hundreds of them.
  await putBudget(database, { per: 'once', amount: '0.3' }, now);
  await putBudget(database, { per: 'day', amount: '0.25' }, now);
  const callers = await Promise.all(Array.from({ length: 3 }, () => startCaller(database)));
  const ended = callers.map((caller) => once(caller, 'exit'));
  for (const caller of callers) caller.send('go');
  const [killed] = callers;
  await pause(60);
  killed?.kill('SIGKILL');
  const over = { isOver: false };
  const passed = watch(database, over);
  await Promise.all(ended);
  over.isOver = true;
  expect(await passed).toEqual([]);
  expect(await reserve(database, { input_tokens: 400 }, now)).toMatchObject({ verdict: 'deny' });
  const parts = { database, clock: systemClock, checkStripe: null };
  const laws = await checkLaws(parts, { scope: 'full', published: [] });
  expect(laws.find(({ law }) => law === 10)?.violations).toEqual([]);
  const [{ holds } = { holds: 0 }] = await textRows(
    database,
    "select count(*) as holds from budget_holds where state = 'open'",
  );
  expect(Number(holds)).toBeGreaterThan(100);
});

async function startCaller({ url }: TestDatabase): Promise<ChildProcess> {
  const caller = fork(CALLER, [url], { execArgv: [] });
  onTestFinished(() => void caller.kill('SIGKILL'));
  await once(caller, 'message');
  return caller;
}

/** Looks at every instant that it can until all is over, and once more. */
async function watch(database: TestDatabase, over: { readonly isOver: boolean }) {
  for (;;) {
    const isLast = over.isOver;
    const found = await textRows(
      database,
      `select b.per, c.spent, c.held, b.amount from budget_counters c join budgets b using (budget_id)
       where c.spent + c.held > b.amount or c.held < 0`,
    );
    if (found.length > 0 || isLast) return found;
  }
}
