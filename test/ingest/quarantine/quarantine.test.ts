import { describe, expect, it, onTestFinished } from 'vitest';
import { checkLaws } from '../../../src/audit/laws/check-laws.ts';
import { remedyText } from '../../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../../src/clock.ts';
import { closeDatabase, type Database, openDatabase } from '../../../src/database/database.ts';
import { hashOfEmail } from '../../../src/events/email-identifiers.ts';
import { acceptConflict } from '../../../src/ingest/quarantine/accept-conflict.ts';
import {
  dismissQuarantine,
  purgeQuarantine,
} from '../../../src/ingest/quarantine/dismiss-quarantine.ts';
import { listQuarantine } from '../../../src/ingest/quarantine/list-quarantine.ts';
import { replayQuarantine } from '../../../src/ingest/quarantine/replay-quarantine.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { Refusal } from '../../../src/refusal.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receive,
  receiveEvents,
  sharedBook,
} from '../../support/ledger.ts';

const NOW = parseInstant('2026-10-21T00:00:00Z');
const AT = '2026-10-20T12:00:00Z';
const NOTE = { reason: 'it was sent anew', actor: 'ada' };
const READING = { litellmKey: null };

const partsOf = (database: Database) => ({ database, clock: () => NOW, reading: READING });
const waiting = (database: Database) => listQuarantine({ database }, { all: false, limit: 10 });

async function ready() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  return database;
}

it('a dismissed event waits no longer, and neither a replay nor the month speaks of it', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent({ attempt: 0 })]);
  const parts = partsOf(database);
  const missing = () => nameMissing(parts, { month: '2026-10', tenant_id: null });
  expect(await missing()).toMatchObject([{ kind: 'quarantined', tenant_id: 'acme' }]);

  const request = { quarantine_ids: [1n], ...NOTE };
  expect(await dismissQuarantine(parts, request)).toEqual([
    { quarantine_id: '1', outcome: 'dismissed' },
  ]);

  expect(await waiting(database)).toEqual([]);
  expect(await missing()).toEqual([]);
  expect(await replayQuarantine(parts, { quarantine_ids: [] })).toEqual([]);
  expect(await dismissQuarantine(parts, request)).toMatchObject([{ outcome: 'waits_no_longer' }]);
  const [kept] = await listQuarantine({ database }, { all: true, limit: 10 });
  expect(kept).toMatchObject({ dismissed_by: 'ada', dismissed_because: 'it was sent anew' });
});

it('a dismissal of one that is not there, or without a reason, dismisses none', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent({ attempt: 0 })]);
  const parts = partsOf(database);
  const both = { quarantine_ids: [1n, 7n], ...NOTE };
  await expect(dismissQuarantine(parts, both)).rejects.toThrow('no quarantined event 7');
  const silent = { quarantine_ids: [1n], reason: ' ', actor: 'ada' };
  await expect(dismissQuarantine(parts, silent)).rejects.toThrow('needs a reason');
  expect(await waiting(database)).toHaveLength(1);
});

it('only the bodies of what was dismissed are erased, and no row is deleted', async () => {
  const database = await ready();
  await receiveEvents(database, [
    nativeEvent({ event_id: 'a', attempt: 0 }),
    nativeEvent({ event_id: 'b', attempt: 0 }),
  ]);
  const parts = partsOf(database);
  await dismissQuarantine(parts, { quarantine_ids: [1n], ...NOTE });
  expect(await purgeQuarantine(parts, { before: NOW })).toEqual({ purged: 0 });
  expect(await purgeQuarantine(parts, { before: NOW + 1 })).toEqual({ purged: 1 });
  const rows = await textRows(database, 'select event_id, body from quarantine order by 1');
  expect(rows).toMatchObject([{ event_id: 'a', body: '' }, { event_id: 'b' }]);
  expect(rows[1]?.['body']).toContain('"attempt":0');
  for (const change of [
    'delete from quarantine',
    'truncate quarantine',
    "update quarantine set body = 'mended'",
    "update quarantine set body = '', purged_at = now()",
    "update quarantine set reason = 'not_json'",
    'update quarantine set dismissed_at = null, dismissed_by = null, dismissed_because = null',
  ]) {
    await expect(database.pool.query(change), change).rejects.toThrow();
  }
});

it('an accepted conflict is a correction by what came later', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent()]);
  const usage = { input_tokens: 2000, output_tokens: 100 };
  await receiveEvents(database, [nativeEvent({ usage, prompt: 'my diagnosis' })]);
  const parts = partsOf(database);

  const answer = await acceptConflict(parts, { quarantine_id: 1n, ...NOTE });

  expect(answer.corrections).toHaveLength(1);
  const entries = await textRows(
    database,
    'select charge, reason, actor from audit.entries order by revision',
  );
  expect(entries).toEqual([
    { charge: '0.0042', reason: null, actor: null },
    { charge: '-0.0042', ...NOTE },
    { charge: '0.0072', ...NOTE },
  ]);
  expect(await waiting(database)).toEqual([]);
  const again = acceptConflict(parts, { quarantine_id: 1n, ...NOTE });
  await expect(again).rejects.toThrow('waits no longer');
});

it('a conflict about what was billed in a former currency is not accepted: one period holds no two', async () => {
  const database = await ready();
  const euro = { ...Object(sharedBook('standard')), book: 'euro', currency: 'EUR' };
  await importBook(database, euro);
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  const from = parseInstant('2026-11-01T00:00:00Z');
  await makeTenant(database, 'acme', { priceBook: 'euro', priceBookFrom: from });
  await receiveEvents(database, [nativeEvent()]);
  await closePeriods(
    { database, clock: () => parseInstant('2026-11-02T00:00:00Z') },
    { month: '2026-10', tenant_id: null },
  );
  const usage = { input_tokens: 2000, output_tokens: 100 };
  await receiveEvents(database, [nativeEvent({ usage })], '2026-11-02T00:00:00Z');
  const clock = () => parseInstant('2026-11-03T00:00:00Z');

  const accepting = acceptConflict({ ...partsOf(database), clock }, { quarantine_id: 1n, ...NOTE });

  const error = await accepting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Refusal);
  expect(error).toMatchObject({ message: expect.stringContaining('pays in EUR now') });
  expect(remedyText((error as Refusal).remedy)).toContain('adjust');
  expect(await waiting(database)).toHaveLength(1);
  const charges = await textRows(database, 'select charge, currency from audit.entries');
  expect(charges).toEqual([{ charge: '0.0042', currency: 'USD' }]);
});

it('what was accepted is a duplicate when it is delivered again, and so is what it replaced', async () => {
  const database = await ready();
  const usage = { input_tokens: 2000, output_tokens: 100 };
  await receiveEvents(database, [nativeEvent()]);
  await receiveEvents(database, [nativeEvent({ usage })]);
  await acceptConflict(partsOf(database), { quarantine_id: 1n, ...NOTE });

  expect(await receiveEvents(database, [nativeEvent({ usage })])).toEqual(['duplicate']);
  expect(await receiveEvents(database, [nativeEvent()])).toEqual(['duplicate']);

  expect(await waiting(database)).toEqual([]);
  // A third content is none of the two, and what stands is the one that was accepted.
  const third = nativeEvent({ usage: { input_tokens: 3000, output_tokens: 100 } });
  expect(await receiveEvents(database, [third])).toEqual(['conflict']);
  const [row] = await textRows(
    database,
    `select ledger_digest = (select event_digest from entries order by revision desc limit 1) as stands
     from quarantine where quarantine_id = 2`,
  );
  expect(row).toEqual({ stands: 'true' });
});

it('equal events without an id are as many as were sent, and one message that comes again brings none', async () => {
  const database = await ready();
  const { event_id: _, ...nameless } = nativeEvent();
  const one = JSON.stringify(nameless);
  const two = JSON.stringify({ events: [nameless, nameless] });
  const messageIds = ['m-1', 'm-2', 'm-1', 'm-3', 'm-3'];

  const outcomes = await receive(database, [one, one, one, two, two], AT, { messageIds });

  const [waits, again] = ['quarantined', 'duplicate'];
  expect(outcomes).toEqual([waits, waits, again, waits, waits, again, again]);
  expect(await waiting(database)).toHaveLength(4);
  const missing = await nameMissing(partsOf(database), { month: '2026-10', tenant_id: null });
  expect(missing).toMatchObject([{ kind: 'quarantined', tenant_id: 'acme', count: 4 }]);
  // Whoever has the ids sends them anew; what waits is then dismissed, each by itself.
  const parts = partsOf(database);
  await dismissQuarantine(parts, { quarantine_ids: [1n], ...NOTE });
  expect(await waiting(database)).toHaveLength(3);
});

it('one bad message that is delivered twice waits once, and its receipts say so', async () => {
  const database = await ready();
  const bad = nativeEvent({ attempt: 0 });
  expect(await receiveEvents(database, [bad, bad])).toEqual(['quarantined', 'duplicate']);
  expect(await receiveEvents(database, [bad])).toEqual(['duplicate']);
  expect(await waiting(database)).toHaveLength(1);
  const receipts = await textRows(
    database,
    'select sum(received) as received, sum(quarantined) as quarantined, sum(duplicates) as duplicates from receipts',
  );
  expect(receipts).toEqual([{ received: '3', quarantined: '1', duplicates: '2' }]);
  const laws = await checkLaws(
    { database, clock: () => NOW, checkStripe: null },
    { scope: 'full', published: [] },
  );
  expect(laws.flatMap(({ violations }) => violations)).toEqual([]);
  // Once it was dismissed, the same message is news again.
  await dismissQuarantine(partsOf(database), { quarantine_ids: [1n], ...NOTE });
  expect(await receiveEvents(database, [bad])).toEqual(['quarantined']);
});

it('two bad messages that differ only in what is cut out of them wait both', async () => {
  const database = await ready();
  const words = (note: string) => JSON.stringify({ note });
  expect(await receive(database, [words('one'), words('two')], AT)).toEqual([
    'quarantined',
    'quarantined',
  ]);
  expect(await waiting(database)).toHaveLength(2);
});

it('workers that receive one bad message at the same time make one row of it', async () => {
  const database = await ready();
  const bad = nativeEvent({ attempt: 0 });
  const all = await Promise.all(Array.from({ length: 4 }, () => receiveEvents(database, [bad])));
  expect(all.flat().toSorted()).toEqual(['duplicate', 'duplicate', 'duplicate', 'quarantined']);
  expect(await waiting(database)).toHaveLength(1);
});

it('what was replayed with a hashed address is one event with what is delivered raw after it', async () => {
  const database = await ready();
  const emails = { kind: 'hash', key: '0123456789abcdef0123456789abcdef' } as const;
  const raw = JSON.stringify(nativeEvent({ user_id: 'pat@example.com' }));
  // The first delivery is older than the bound of the time; it was raised since.
  expect(await receive(database, [raw], AT, { emails, oldestDays: 1 })).toEqual(['quarantined']);
  const [row] = await waiting(database);
  expect(row?.body).not.toContain('pat@');
  const parts = { ...partsOf(database), reading: { litellmKey: null, emails } };
  expect(await replayQuarantine(parts, { quarantine_ids: [] })).toMatchObject([
    { outcome: 'posted' },
  ]);

  expect(await receive(database, [raw], AT, { emails })).toEqual(['duplicate']);

  const entries = await textRows(database, 'select user_id from audit.entries');
  expect(entries).toEqual([{ user_id: expect.stringMatching(/^email:[0-9a-f]{32}$/) }]);
  expect(await waiting(database)).toEqual([]);
});

it('what was delivered raw is one event with what waited with a hashed address before it', async () => {
  const database = await ready();
  const emails = { kind: 'hash', key: '0123456789abcdef0123456789abcdef' } as const;
  const raw = JSON.stringify(nativeEvent({ user_id: 'pat@example.com' }));
  await receive(database, [raw], AT, { emails, oldestDays: 1 });
  expect(await receive(database, [raw], AT, { emails })).toEqual(['posted']);
  const parts = { ...partsOf(database), reading: { litellmKey: null, emails } };
  expect(await replayQuarantine(parts, { quarantine_ids: [] })).toMatchObject([
    { outcome: 'duplicate' },
  ]);
});

it('a body that could be read only later, with its address hashed, is one event with the raw one', async () => {
  const database = await ready();
  const emails = { kind: 'hash', key: '0123456789abcdef0123456789abcdef' } as const;
  const hashed = nativeEvent({ user_id: hashOfEmail('pat@example.com', emails.key) });
  await receive(database, [JSON.stringify(hashed)], AT, { emails });
  const raw = JSON.stringify(nativeEvent({ user_id: 'pat@example.com' }));
  expect(await receive(database, [raw], AT, { emails })).toEqual(['duplicate']);
});

it.each([
  ['SNS', (event: object) => ({ Type: 'Notification', Message: JSON.stringify(event) })],
  [
    'EventBridge',
    (event: object) => ({ 'detail-type': 'usage', source: 'app', id: 'bus-1', detail: event }),
  ],
])('of a bad event inside %s what is kept is the event, cut to its fields', async (_name, wrap) => {
  const database = await ready();
  const event = nativeEvent({ attempt: 0, prompt: 'my diagnosis' });
  expect(await receive(database, [JSON.stringify(wrap(event))], AT)).toEqual(['quarantined']);
  const [row] = await waiting(database);
  expect(row).toMatchObject({ event_id: 'evt-1', reason: 'invalid_field', cut: 1 });
  expect(JSON.parse(row?.body ?? '')).toEqual(nativeEvent({ attempt: 0 }));
  const missing = await nameMissing(partsOf(database), { month: '2026-10', tenant_id: null });
  // 1000 x 3 + 100 x 12 = 4200 = 0.0042
  expect(missing).toMatchObject([{ kind: 'quarantined', tenant_id: 'acme', amount: '0.0042' }]);
});

it('what is no conflict is not accepted', async () => {
  const database = await ready();
  await receiveEvents(database, [nativeEvent({ attempt: 0 })]);
  const request = { quarantine_id: 1n, ...NOTE };
  await expect(acceptConflict(partsOf(database), request)).rejects.toThrow('is not a conflict');
});

it('a conflict by its response is not accepted, and the refusal names the entry to correct', async () => {
  const database = await ready();
  const response_id = 'resp_2';
  await receiveEvents(database, [nativeEvent({ event_id: 'w1', source: 'sdk', response_id })]);
  const usage = { input_tokens: 2000, output_tokens: 100 };
  const other = nativeEvent({ event_id: 'w2', source: 'gateway', response_id, usage });
  expect(await receiveEvents(database, [other])).toEqual(['conflict']);
  const refusal = async () => {
    const accepting = acceptConflict(partsOf(database), { quarantine_id: 1n, ...NOTE });
    const error = await accepting.catch((reason: unknown) => reason);
    if (!(error instanceof Refusal)) throw error;
    return { message: error.message, remedy: remedyText(error.remedy) };
  };
  const message = `event 1 in quarantine has the provider's response of event "w1" of source "sdk", and stands in no other event's place`;
  const [entry] = await textRows(database, 'select entry_id from audit.entries');
  const alone =
    'where it is a call of its own, send it again without its response_id, and dismiss this one';

  expect(await refusal()).toEqual({
    message,
    remedy: `where its counts are the right ones, correct the other event with "spanledger correct ${entry?.['entry_id']}", and dismiss this one; ${alone}`,
  });

  const entryId = BigInt(entry?.['entry_id']?.slice('ent_'.length) ?? 0);
  await postCorrections(database, () => NOW, [{ entryId, change: null, note: NOTE }]);
  expect(await refusal()).toEqual({
    message,
    remedy: `${alone}; nothing of the other event stands that could be corrected`,
  });
  const own = nativeEvent({ event_id: 'w2', source: 'gateway', usage });
  expect(await receiveEvents(database, [own])).toEqual(['posted']);
});

it('a second report that waits for its time still says what it repeats once it is replayed', async () => {
  const database = await ready();
  const span = (spanId: string, parentSpanId: string | undefined, attributes: object) => ({
    ...{ traceId: '0000000000000000000000000000000a', spanId, parentSpanId, name: 'chat' },
    ...{ startTimeUnixNano: '1792065598000000000', endTimeUnixNano: '1792065600000000000' },
    attributes: {
      ...{ tenant_id: 'acme', 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-4o' },
      ...{ 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 },
      ...attributes,
    },
  });
  const spans = [
    // A day in the future, so that it waits although what it repeats is posted.
    {
      ...span('00000000000000a1', undefined, {}),
      endTimeUnixNano: '1792670400000000000',
    },
    span('00000000000000a2', '00000000000000a1', { 'gen_ai.response.id': 'resp-1' }),
  ];
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const received = '2026-10-16T00:00:00Z';
  expect(await receive(database, [body], received)).toEqual(['quarantined', 'posted']);
  const seconds = () =>
    textRows(database, 'select event_id, because, repeats_event_id from audit.second_reports');
  expect(await seconds()).toEqual([]);
  await expect(database.pool.query(`update quarantine set repeats = '{}'`)).rejects.toThrow(
    'is refused a change',
  );

  const later = { ...partsOf(database), clock: () => parseInstant('2026-10-23T00:00:00Z') };
  expect(await replayQuarantine(later, { quarantine_ids: [] })).toMatchObject([
    { outcome: 'posted' },
  ]);
  const trace = '0000000000000000000000000000000a';
  expect(await seconds()).toEqual([
    {
      event_id: `${trace}:00000000000000a1`,
      because: 'nested',
      repeats_event_id: `${trace}:00000000000000a2`,
    },
  ]);
  expect(await textRows(database, 'select charge from entries')).toHaveLength(1);
});

describe('a replay', () => {
  const two = { input_tokens: 2000, output_tokens: 100 };

  async function replayAll(database: Database) {
    return replayQuarantine(partsOf(database), { quarantine_ids: [] });
  }

  it('of a response that is in the ledger with other counts is a conflict, and the next is replayed', async () => {
    const database = await ready();
    const response_id = 'resp_2';
    await receiveEvents(database, [nativeEvent({ event_id: 'w1', source: 'sdk', response_id })]);
    const other = nativeEvent({ event_id: 'w2', source: 'gateway', response_id, usage: two });
    expect(await receiveEvents(database, [other])).toEqual(['conflict']);
    await waitForItsTime(database, nativeEvent({ event_id: 'behind' }));

    expect(await replayAll(database)).toEqual([
      {
        quarantine_id: '1',
        outcome: 'conflict',
        detail:
          'the ledger still holds this response with other counts or at another time, by event "w1" of source "sdk"',
      },
      { quarantine_id: '2', outcome: 'posted', detail: null },
    ]);
    expect(await waiting(database)).toMatchObject([{ event_id: 'w2', reason: 'conflict' }]);
  });

  it('reads the bodies alone of what it replays, however much waits beside it', async () => {
    const database = await ready();
    await waitForItsTime(database, nativeEvent({ event_id: 'named' }));
    await database.pool.query(
      `insert into quarantine (batch_id, received_at, reason, detail, body, cut)
       select 1, now(), 'not_json', 'no JSON', repeat('x', 500000), 0 from generate_series(1, 20)`,
    );
    const own = openDatabase({ url: database.url, connections: 1, onConnectionLost: () => {} });
    onTestFinished(() => closeDatabase(own));
    const [replayed] = await replayQuarantine(partsOf(own), { quarantine_ids: [1n] });
    expect(replayed).toMatchObject({ quarantine_id: '1', outcome: 'posted' });
    const client = await own.pool.connect();
    const { bytesRead } = Object(Reflect.get(client, 'connection')).stream;
    client.release();
    expect(bytesRead).toBeGreaterThan(0);
    expect(bytesRead).toBeLessThan(1_000_000);
  });

  it('of a response that was posted while it waited is a duplicate', async () => {
    const database = await ready();
    const response_id = 'resp_1';
    const report = (event_id: string, source: string) =>
      nativeEvent({ event_id, source, response_id });
    await waitForItsTime(database, report('u2', 'gateway'));
    expect(await receiveEvents(database, [report('u1', 'sdk')])).toEqual(['posted']);

    expect(await replayAll(database)).toMatchObject([{ outcome: 'duplicate' }]);
    expect(await waiting(database)).toEqual([]);
    expect(await textRows(database, 'select event_id from entries')).toEqual([{ event_id: 'u1' }]);
  });

  it('of an event whose values the database refuses leaves it waiting, and the next is replayed', async () => {
    const database = await ready();
    for (const event_id of ['poison', 'behind']) {
      await waitForItsTime(database, nativeEvent({ event_id }));
    }
    await database.pool.query(`
      create function refuse_poison() returns trigger language plpgsql as $$
      begin raise exception 'no place for poison' using errcode = '23514'; end $$;
      create trigger refuse_poison before insert on entries for each row
        when (new.event_id = 'poison') execute function refuse_poison()`);

    expect(await replayAll(database)).toEqual([
      {
        quarantine_id: '1',
        outcome: 'quarantined',
        detail: expect.stringContaining('no place for poison'),
      },
      { quarantine_id: '2', outcome: 'posted', detail: null },
    ]);
    expect(await waiting(database)).toMatchObject([{ event_id: 'poison' }]);
  });

  it('of what was dismissed says so, and not that it was replayed', async () => {
    const database = await ready();
    await waitForItsTime(database, nativeEvent({ event_id: 'a' }));
    await waitForItsTime(database, nativeEvent({ event_id: 'b' }));
    const parts = partsOf(database);
    await dismissQuarantine(parts, { quarantine_ids: [1n], ...NOTE });

    const replay = () => replayQuarantine(parts, { quarantine_ids: [1n, 2n] });
    const dismissed = {
      quarantine_id: '1',
      outcome: 'dismissed',
      detail: 'it waits no longer, and was not posted',
    };
    expect(await replay()).toEqual([
      dismissed,
      { quarantine_id: '2', outcome: 'posted', detail: null },
    ]);
    expect(await replay()).toEqual([
      dismissed,
      { quarantine_id: '2', outcome: 'already_replayed', detail: null },
    ]);
    expect(await textRows(database, 'select event_id from entries')).toEqual([{ event_id: 'b' }]);
  });

  it('in a database that refuses whatever it is given blames no event', async () => {
    const database = await ready();
    await waitForItsTime(database, nativeEvent());
    await database.pool.query(`
      create function refuse_all() returns trigger language plpgsql as $$
      begin raise exception 'no right' using errcode = '42501'; end $$;
      create trigger refuse_all before insert on entries for each row execute function refuse_all()`);

    await expect(replayAll(database)).rejects.toThrow('no right');
    expect(await waiting(database)).toHaveLength(1);
  });
});

/** Receives an event before a bound of the time that has been raised since, so that it waits. */
async function waitForItsTime(database: Database, event: object): Promise<void> {
  expect(await receive(database, [JSON.stringify(event)], AT, { oldestDays: 1 })).toEqual([
    'quarantined',
  ]);
}
