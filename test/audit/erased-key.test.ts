import { expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { EmailPolicy } from '../../src/events/email-identifiers.ts';
import { readBody } from '../../src/events/read-body.ts';
import { recordBatch } from '../../src/ingest/record-batch.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { proveStatement } from '../../src/statements/prove-statement.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/** What the runbook says of erasing: the key of hashed addresses is destroyed, and nothing else changes. */

const FIRST = { kind: 'hash', key: 'a key of sixteen' } as const;
const SECOND = { kind: 'hash', key: 'another key of it' } as const;
const AT = parseInstant('2026-10-20T12:00:00Z');
const AFTER = parseInstant('2026-11-02T12:00:00Z');

async function ready(): Promise<TestDatabase> {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  return database;
}

async function deliver(database: TestDatabase, events: readonly object[], emails: EmailPolicy) {
  const context = { receivedAt: AT, litellmKey: null, emails, attributes: {} };
  const items = readBody(JSON.stringify({ events }), context);
  const recorded = await recordBatch(database, new ReferenceCache(), { items, recordedAt: AT });
  return recorded.map(({ outcome }) => outcome);
}

const of = (address: string) => [
  nativeEvent({ event_id: 'one', user_id: address, tags: { owner: address } }),
  nativeEvent({ event_id: 'two', members: [{ member_id: address }, { member_id: 'b' }] }),
];

it('once the key is destroyed totals and proofs stand as they were, what comes again is a duplicate, and the same address is another user', async () => {
  const database = await ready();
  expect(await deliver(database, of('ada@example.org'), FIRST)).toEqual(['posted', 'posted']);
  await foldAll(database, () => AFTER);
  await closePeriods({ database, clock: () => AFTER }, { month: '2026-10', tenant_id: null });
  const before = await proof(database);

  // From here on only the second key is known.
  expect(await deliver(database, of('ada@example.org'), SECOND)).toEqual([
    ...['duplicate', 'duplicate'],
  ]);
  const later = nativeEvent({ event_id: 'later', user_id: 'ada@example.org' });
  expect(await deliver(database, [later], SECOND)).toEqual(['posted']);
  await foldAll(database, () => AFTER);

  expect(await proof(database)).toBe(before);
  expect(await brokenLaws(database)).toEqual([]);
  const users = await textRows(
    database,
    'select distinct user_id from entries where user_id <> $$$$',
  );
  expect(users.filter(({ user_id }) => user_id !== null)).toHaveLength(2);
});

it('without the key nobody finds out by trying whether an address is that of an entry', async () => {
  const [ada, bob] = [await ready(), await ready()];
  await deliver(ada, of('ada@example.org'), FIRST);
  await deliver(bob, of('bob@example.org'), FIRST);
  const digests = (database: TestDatabase) =>
    textRows(database, 'select event_id, event_digest from entries order by event_id, member_id');
  const found = await digests(ada);
  expect(found).toHaveLength(3);
  expect(found).toEqual(await digests(bob));
});

it('what was posted with its address before addresses were hashed is a duplicate, and its other content a conflict', async () => {
  const database = await ready();
  const [one, two] = of('ada@example.org');
  await deliver(database, [one ?? {}, two ?? {}], { kind: 'keep' });
  expect(await deliver(database, of('ada@example.org'), FIRST)).toEqual(['duplicate', 'duplicate']);
  const other = { ...one, usage: { input_tokens: 1, output_tokens: 1 } };
  expect(await deliver(database, [other], FIRST)).toEqual(['conflict']);
});

async function proof(database: TestDatabase): Promise<string> {
  const request = { tenant_id: 'acme', month: '2026-10', line: null, form: 'json' } as const;
  const { entries, pieces } = await proveStatement({ database }, request);
  expect(entries).toBeGreaterThan(0);
  return [...pieces].join('');
}
