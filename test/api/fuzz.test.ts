import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { INGEST_DOORS } from '../../src/api/ingest/ingest-doors.ts';
import { type Api, freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { producerBodies } from '../support/producer-bodies.ts';
import { brokenLaws } from '../support/worker.ts';

const CASES = Number(process.env['SPANLEDGER_CASES'] ?? 250);

/** Statuses that tell a producer what is wrong with what it sent, or that it was taken. */
const EXPECTED = [200, 202, 207, 400, 413, 415];

const BODIES = [nativeEvent(), { events: [nativeEvent()] }, ...producerBodies()].map((body) =>
  Buffer.from(JSON.stringify(body)),
);

/** A body of a producer with bytes changed, cut out or repeated. */
const mutated = fc
  .record({
    body: fc.constantFrom(...BODIES),
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
    cut: fc.option(fc.tuple(fc.nat(), fc.nat(200))),
  })
  .map(({ body, changes, cut }) => {
    const bytes = Buffer.from(body);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    if (cut === null) return bytes;
    const from = cut[0] % bytes.length;
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + cut[1])]);
  });

const sent = fc.record({
  ...{ body: mutated, folded: fc.boolean(), says: fc.boolean() },
  path: fc.constantFrom(...INGEST_DOORS.map(({ path }) => path)),
  type: fc.constantFrom('application/json', 'application/x-protobuf', 'application/x-ndjson'),
});

const SEED = Number(process.env['SPANLEDGER_SEED'] ?? 1);
const ROUND = 250;
const LANES = 4;
const HANG_MS = 1_000;

it(
  'a door answers whatever it is sent, soon, and the ledger counts what the door said',
  async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const api = await freshApi(database);
    const [key, admin] = [await api.key('ingest'), await api.key('admin')];
    const slow: [Sent, string][] = [];
    const began = performance.now();
    for (let done = 0; done < CASES; done += ROUND) {
      const requests = fc.sample(sent, {
        numRuns: Math.min(ROUND, CASES - done),
        seed: SEED + done,
      });
      const lane = async () => {
        for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
          const seed = `seed ${SEED + done}`;
          if (!(await answersSoon(api, key, next, seed))) slow.push([next, seed]);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      if (CASES > 1_000 && done % 10_000 === 0) {
        console.log(`${done} bodies sent in ${Math.round(performance.now() - began)} ms`);
      }
    }
    // What took long beside others does not take long alone, nor where the machine is slow to answer anything.
    for (const [of, seed] of slow) {
      const isSoon = await isSoonForTheMachine(api, key, of, seed);
      expect(isSoon, `${seed} ${of.body.toString('base64')}`).toBe(true);
    }
    if (CASES > 1_000) console.log(`${CASES} bodies sent; ${slow.length} were asked again alone`);
    expect(await countedInLedger(api, admin)).toEqual(
      saidByDoors((await api.ask('/metrics', null)).text),
    );
    expect(await brokenLaws(database)).toEqual([]);
  },
  90_000 + CASES * 50,
);

type Sent = typeof sent extends fc.Arbitrary<infer Value> ? Value : never;

/** Whether one of three tries was answered soon: what took long because the machine was busy does not the next time. */
async function answersSoon(api: Api, key: string, of: Sent, seed: string): Promise<boolean> {
  for (let time = 0; time < 3; time += 1) {
    if ((await millisecondsOf(api, key, of, seed)) < HANG_MS) return true;
  }
  return false;
}

/** A body without a fault, as a measure of what the machine does at the moment. */
const PLAIN: Sent = {
  ...{ body: Buffer.from(JSON.stringify(nativeEvent())), folded: false, says: false },
  ...{ path: '/v1/events', type: 'application/json' },
};
const TIMES_PLAIN = 20;
const TURNS = 10;

/** The soonest of some turns is below what hangs, or below so many times what a plain body beside it takes. */
async function isSoonForTheMachine(
  api: Api,
  key: string,
  of: Sent,
  seed: string,
): Promise<boolean> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const plain = await millisecondsOf(api, key, PLAIN, seed);
    const milliseconds = await millisecondsOf(api, key, of, seed);
    if (milliseconds < Math.max(HANG_MS, plain * TIMES_PLAIN)) return true;
  }
  return false;
}

async function millisecondsOf(api: Api, key: string, of: Sent, seed: string): Promise<number> {
  const { body, path, type, folded, says } = of;
  const begun = performance.now();
  const { status, text } = await api.ask(path, key, {
    body: new Uint8Array(folded ? gzipSync(body) : body),
    headers: { 'content-type': type, ...(says ? { 'content-encoding': 'gzip' } : {}) },
  });
  const milliseconds = performance.now() - begun;
  const what = `${seed} ${path} ${type} ${body.toString('base64')} ${text}`;
  expect(EXPECTED, what).toContain(status);
  return milliseconds;
}

type Counts = Readonly<Record<string, number>>;
const COUNTED = ['posted', 'duplicate', 'conflict', 'quarantined', 'empty'];

function saidByDoors(metrics: string): Counts {
  const lines = [
    ...metrics.matchAll(/^spanledger_ingest_events_total\{.*outcome="(\w+)"\} (\d+)$/gm),
  ];
  return sums(lines.map(([, outcome = '', count]) => ({ [outcome]: Number(count) })));
}

async function countedInLedger(api: Api, admin: string): Promise<Counts> {
  const { json } = await api.ask('/v1/ingest/coverage', admin);
  return sums(json.hours);
}

function sums(rows: readonly Counts[]): Counts {
  return Object.fromEntries(
    COUNTED.map((name) => [name, rows.reduce((sum, row) => sum + (row[name] ?? 0), 0)]),
  );
}
