import { expect, it, onTestFinished } from 'vitest';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { openLog } from '../../src/log.ts';
import { comparePeriods } from '../../src/push/compare-periods.ts';
import type { Destination, PushParts, TellAnswer } from '../../src/push/destination.ts';
import { pushClosed } from '../../src/push/push-targets.ts';
import type { Fault } from '../../src/remedy.ts';
import { createDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { ofMonth } from '../support/stripe.ts';

/** The push with destinations that live in memory, each with limits of its own: it needs no Stripe. */

const MONTH = '2026-10';
const DUE = 4_200_000n;
const HOUR_MS = 3_600_000;

interface Ledger {
  readonly destination: Destination;
  /** Values by identifier, as it counts them. */
  readonly counted: Map<string, bigint>;
  /** What the next requests are answered with; when it is empty, they are taken. */
  readonly answers: TellAnswer[];
  /** Why it takes nothing now. */
  objection: string | null;
}

/** It forgets an identifier after an hour, and what it lacks for two hours never came. */
function inMemory(kind: Destination['kind'], channel: string): Ledger {
  const counted = new Map<string, bigint>();
  const answers: TellAnswer[] = [];
  const destination: Destination = {
    kind,
    origin: { livemode: false, account: 'acct_memory' },
    countName: 'the memory',
    memory: {
      resendWithinMs: HOUR_MS,
      absenceProvesAfterMs: 2 * HOUR_MS,
      countsWithinMs: 60_000,
    },
    describe: ({ tenantId }) => ({ customer: `in-memory-${tenantId}`, channel }),
    disown: () => null,
    objectTo: async () => ledger.objection,
    isExcused: async () => false,
    checkChannel: async () => undefined,
    lookAt: async () => null,
    finish: async () => undefined,
    async tell({ identifier, valueMicro }) {
      const answer = answers.shift() ?? { kind: 'delivered', how: 'taken' };
      if (answer.kind === 'delivered') counted.set(identifier, valueMicro);
      return answer;
    },
    readCount: async () => [...counted.values()].reduce((sum, value) => sum + value, 0n),
    readBilled: async () => new Map(),
  };
  const ledger: Ledger = { destination, counted, answers, objection: null };
  return ledger;
}

/** October of one tenant, closed. */
async function scene(ledgers: readonly Ledger[]) {
  const { database, drop } = await createDatabase({ connections: 6 });
  onTestFinished(drop);
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme', { mode: 'live' });
  const usage = { input_tokens: 1_000_000, output_tokens: 100_000 };
  await receiveEvents(database, [nativeEvent({ usage })], '2026-10-20T12:00:00Z');
  let now = Date.parse('2026-11-01T01:00:00Z');
  const clock = () => now;
  await closePeriods({ database, clock }, { month: MONTH, tenant_id: null });
  const destinations = ledgers.map(({ destination }) => destination);
  const log = openLog('silent');
  const findChanged = async () => new Map<string, Fault>();
  const of = { ledgerName: 'memorial', destinations, findChanged };
  const parts: PushParts = { database, clock, log, ...of };
  return {
    push: async () =>
      (await pushClosed(parts, ofMonth(MONTH, { tenant_id: 'acme' }))).map(({ state }) => state),
    compare: () => comparePeriods(parts, { month: MONTH, tenant_id: 'acme' }),
    intents: () =>
      textRows(
        database,
        'select destination, account, meter, state from audit.pushes order by identifier',
      ),
    pass: (hours: number) => {
      now += hours * HOUR_MS;
    },
  };
}

it('a period is told once to a destination that is no Stripe, and proven by its count', async () => {
  const memory = inMemory('meter', 'notebook');
  const { push, compare, intents } = await scene([memory]);
  expect([await push(), await push()]).toEqual([['confirmed'], ['confirmed']]);
  expect([...memory.counted.values()]).toEqual([DUE]);
  expect(await intents()).toEqual([
    { destination: 'meter', account: 'acct_memory', meter: 'notebook', state: 'confirmed' },
  ]);
  expect(await compare()).toMatchObject([
    { closedMicro: DUE, confirmedMicro: DUE, counted: String(DUE), difference: 'none' },
  ]);
});

it('its own memory says how long a request is repeated, and when absence proves that it never came', async () => {
  const memory = inMemory('meter', 'notebook');
  const { push, intents, pass } = await scene([memory]);
  memory.answers.push({ kind: 'systemic', detail: 'closed for the day' });
  expect(await push()).toEqual(['sent']);
  pass(1);
  expect(await push()).toEqual(['ambiguous']);
  pass(1.9);
  expect(await push()).toEqual(['ambiguous']);
  pass(0.1);
  expect(await push()).toEqual(['confirmed']);
  expect((await intents()).map(({ state }) => state)).toEqual(['missing', 'confirmed']);
  expect([...memory.counted.values()]).toEqual([DUE]);
});

it('what the first destination does not take is told to the second, and counted there', async () => {
  const first = inMemory('meter', 'notebook');
  const second = inMemory('invoice_item', 'letter');
  const { push, compare, intents } = await scene([first, second]);
  first.objection = 'the notebook is full';
  expect(await push()).toEqual(['confirmed']);
  // What was told once is not told again by the first, when it takes things again.
  first.objection = null;
  expect(await push()).toEqual(['confirmed']);
  expect([first.counted.size, second.counted.size]).toEqual([0, 1]);
  expect(await intents()).toMatchObject([{ destination: 'invoice_item', meter: 'letter' }]);
  expect(await compare()).toMatchObject([{ counted: String(DUE), difference: 'none' }]);
});

it('where no destination takes it, the first says why, and nothing is written', async () => {
  const memory = inMemory('meter', 'notebook');
  const { push, intents } = await scene([memory]);
  memory.objection = 'the notebook is full';
  expect(await push()).toEqual(['refused']);
  expect(await intents()).toEqual([]);
});
