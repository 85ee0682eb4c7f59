import { serialize } from 'node:v8';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { present } from '../../src/present.ts';
import type { FaultSpec } from '../../src/stripe-double/fault.ts';
import type { FaultBench, FaultCase } from './fault-cases.ts';
import {
  bothCases,
  crashCases,
  describeCase,
  hardCases,
  METER_FAULTS,
  openFaultBench,
  stripeCases,
  wantedOf,
} from './fault-cases.ts';
import { lastOf, openDistinct } from './fault-states.ts';
import { lanesFor, playInLanes } from './lanes.ts';

/** All plays write the same few statements: each is drawn once, and drawing asks nothing of the world. */
vi.mock('../../src/statements/pdf/statement-pdf.ts', async (original) => {
  const { renderStatementPdf } =
    await original<typeof import('../../src/statements/pdf/statement-pdf.ts')>();
  const drawn = new Map<string, Promise<Uint8Array>>();
  return {
    renderStatementPdf: (...given: Parameters<typeof renderStatementPdf>) => {
      const page = serialize(given).toString('base64');
      const known = drawn.get(page) ?? renderStatementPdf(...given);
      drawn.set(page, known);
      return known;
    },
  };
});

/**
 * A month is run, dies or is let down by Stripe at one place, and is run again later, until it is done.
 * The places are counted, not listed: an await that is added is tried from then on. The number
 * here is a sample; SPANLEDGER_FAULT_CASES=all plays every one. Hours of them are played in shards:
 * SPANLEDGER_FAULT_FROM=1001 SPANLEDGER_FAULT_CASES=1000 plays the second thousand of each list.
 *
 * SPANLEDGER_FAULT_CASES=distinct plays fewer and proves the same. After a death nothing goes on but what is durable: the
 * rows that a month's run reads, what Stripe holds, and what it remembers of keys and identifiers. The faults of the run
 * that died end with it, the clock stands still while it runs, and the next run begins in a process that knows nothing.
 * So what follows is a function of that state and of the hours until the next run, and of two deaths that leave the same
 * one stands for both, whatever fault and await led there. One run with each fault is watched at each await (the list of
 * places is that run's own, so that awaits which only a fault brings about are in it), and each state is played once with
 * each delay. Each play compares what its death left with what was seen at that place, and fails where that differs, so
 * that a run that does not repeat itself cannot pass for one. Shards of it are cut by SPANLEDGER_FAULT_SHARD=1/4.
 */
const WANTED = process.env['SPANLEDGER_FAULT_CASES'] ?? '2';
const FROM = process.env['SPANLEDGER_FAULT_FROM'];
const IS_DISTINCT = WANTED === 'distinct';
const [SHARD = 1, SHARDS = 1] = (process.env['SPANLEDGER_FAULT_SHARD'] ?? '1/1')
  .split('/')
  .map(Number);
const count = WANTED === 'all' || IS_DISTINCT ? Number.POSITIVE_INFINITY : Number(WANTED);
const from = FROM === undefined ? null : Number(FROM);

const LONG = 3 * 3_600_000;

let benches: readonly FaultBench[];
let awaits = 0;
let requests = 0;
beforeAll(async () => {
  benches = await Promise.all(Array.from({ length: lanesFor(count) }, openFaultBench));
  awaits = benches[0]?.awaits ?? 0;
  requests = benches[0]?.requests ?? 0;
});
afterAll(() => Promise.all(benches.map((bench) => bench.close())));

async function playAll(cases: readonly FaultCase[]): Promise<readonly string[]> {
  const failures: string[] = [];
  let played = 0;
  const wanted = wantedOf(cases, { count, from }).filter(
    (_, index) => index % SHARDS === SHARD - 1,
  );
  await playInLanes(benches, wanted, async (bench, given) => {
    const wrong = await bench.play(given);
    played += 1;
    if (wrong.length > 0) {
      failures.push(`${describeCase(given)}: ${wrong.join('; ')}`);
      console.log(failures.at(-1));
    }
    if (played % 100 === 0) console.log(`${played} of ${wanted.length}, ${failures.length} failed`);
  });
  console.log(
    `shard ${SHARD}/${SHARDS}: ${played} of ${cases.length} combinations played, ${failures.length} failed`,
  );
  return failures;
}

const takeNew = openDistinct();

/** Of deaths in runs with these faults those that leave something else; the awaits are those of each such run. */
async function distinctOnes(faults: readonly (FaultSpec | null)[]): Promise<readonly FaultCase[]> {
  const bench = present(benches[0], 'a bench');
  const distinct: FaultCase[] = [];
  let all = 0;
  for (const fault of faults) {
    const states = await bench.statesWith(fault);
    const cases = crashCases(lastOf(states)).map((given) => ({ ...given, fault }));
    all += cases.length;
    distinct.push(...takeNew(cases, states));
  }
  console.log(`${distinct.length} of ${all} combinations leave something else`);
  return distinct;
}

/** What only the summary can decide: an answer that stays away until Stripe has forgotten the identifier. */
test('an event that Stripe never answered is told once, whether it had arrived or not', {
  timeout: LONG,
}, async () => {
  expect(await playAll(hardCases())).toEqual([]);
});

test('whatever await a month dies at, the invoice is right in the end', {
  timeout: LONG,
}, async () => {
  expect(awaits).toBeGreaterThan(30);
  expect(await playAll(IS_DISTINCT ? await distinctOnes([null]) : crashCases(awaits))).toEqual([]);
});

test('whatever request Stripe fails at, the invoice is right in the end', {
  timeout: LONG,
}, async () => {
  expect(requests).toBeGreaterThan(5);
  expect(await playAll(stripeCases(requests))).toEqual([]);
});

test('a death on top of a fault of Stripe leaves the invoice right', {
  timeout: LONG,
}, async () => {
  expect(await playAll(IS_DISTINCT ? await distinctOnes(METER_FAULTS) : bothCases(awaits))).toEqual(
    [],
  );
});
