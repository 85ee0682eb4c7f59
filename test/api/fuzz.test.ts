import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { INGEST_DOORS } from '../../src/api/ingest/ingest-doors.ts';
import { freshApi } from '../support/api.ts';
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

it(
  'a door answers whatever it is sent, never fails, and keeps every law',
  async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const api = await freshApi(database);
    const key = await api.key('ingest');
    const type = fc.constantFrom(
      'application/json',
      'application/x-protobuf',
      'application/x-ndjson',
    );
    const sent = fc.record({
      ...{ body: mutated, type, folded: fc.boolean(), says: fc.boolean() },
      door: fc.constantFrom(...INGEST_DOORS),
    });
    const property = fc.asyncProperty(sent, async ({ body, door, type: is, folded, says }) => {
      const { status, text } = await api.ask(door.path, key, {
        body: new Uint8Array(folded ? gzipSync(body) : body),
        headers: { 'content-type': is, ...(says ? { 'content-encoding': 'gzip' } : {}) },
      });
      expect(EXPECTED, text).toContain(status);
    });
    await fc.assert(property, { numRuns: CASES });
    expect(await brokenLaws(database)).toEqual([]);
  },
  90_000 + CASES * 50,
);
