import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { rerateMonth } from '../../../src/ledger/corrections/rerate-month.ts';
import { listTraces } from '../../../src/reports/traces/list-traces.ts';
import { type TracesAnswer, tracesRequest } from '../../../src/reports/traces/trace-answer.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../../support/ledger.ts';

it('a call that was taken back is seen among the spans, and counts for nothing', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const of = { trace_id: 'a'.repeat(32), source: 'app' };
  await receiveEvents(database, [
    nativeEvent({ ...of, event_id: 'answered' }),
    nativeEvent({
      ...of,
      event_id: 'failed',
      status: 'error',
      occurred_at: '2026-10-15T12:00:05Z',
    }),
  ]);
  const trace = async () => {
    const request = tracesRequest.parse({ ...EVERY_TRACE, limit: 10, cursor: null });
    const { traces } = await listTraces({ database }, request);
    return traces[0];
  };
  expect(await trace()).toMatchObject({ status: 'error', calls: 2, failed: 1 });
  const clock = () => parseInstant('2026-10-20T13:00:00Z');
  const note = { reason: 'it was a test', actor: 'ada' };
  const failed = (await trace())?.spans.find(({ event_id: id }) => id === 'failed');
  const entryId = BigInt((failed?.entry_id ?? '').replace('ent_', ''));
  await postCorrections(database, clock, [{ entryId, change: null, note }]);
  expect(await trace()).toMatchObject({
    ...{ status: 'ok', calls: 1, failed: 0, total_tokens: '1100' },
    spans: [{ event_id: 'answered' }, { event_id: 'failed', entry_id: null }],
  });
});

it('a trace is found by the tags of a call as it stands, and not by those that it had', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const of = { user_id: 'ann', agent_run_id: 'r1', feature: 'search' };
  await receiveEvents(database, [
    nativeEvent({ ...of, event_id: 'stays', trace_id: 'a'.repeat(32) }),
    nativeEvent({ ...of, event_id: 'moves', trace_id: 'b'.repeat(32) }),
    nativeEvent({ ...of, event_id: 'stays-beside', trace_id: 'c'.repeat(32) }),
    nativeEvent({ ...of, event_id: 'moves-beside', trace_id: 'c'.repeat(32) }),
  ]);
  const clock = () => parseInstant('2026-10-21T00:00:00Z');
  const note = { reason: 'it was bob', actor: 'ada' };
  const change = { userId: 'bob', agentRunId: 'r2', feature: 'chat' };
  const moved = await textRows(
    database,
    "select entry_id from entries where event_id like 'moves%' order by event_id",
  );
  const requests = moved.map(({ entry_id }) => ({ entryId: BigInt(entry_id ?? ''), change, note }));
  await postCorrections(database, clock, requests);
  const found = async (by: object) => {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      // One on each page, so that every one of them has to be found by its own newest call.
      const { traces, next_cursor }: TracesAnswer = await listTraces(
        { database },
        { ...tracesRequest.parse({ ...EVERY_TRACE, limit: 1, cursor }), ...by },
      );
      ids.push(...traces.map(({ trace_id: id }) => (id ?? '').slice(0, 1)));
      cursor = next_cursor;
    } while (cursor !== null);
    return ids.sort();
  };
  for (const by of [{ user_id: 'ann' }, { agent_run_id: 'r1' }, { feature: 'search' }]) {
    expect(await found(by)).toEqual(['a', 'c']);
  }
  for (const by of [{ user_id: 'bob' }, { agent_run_id: 'r2' }, { feature: 'chat' }]) {
    expect(await found(by)).toEqual(['b', 'c']);
  }
  // Before the correction all were of ann.
  const before = parseInstant('2026-10-20T23:59:59Z');
  expect(await found({ user_id: 'ann', as_of: before })).toEqual(['a', 'b', 'c']);
});

it('a trace that gets another call while its list is read page by page is on one of the pages', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const call = (trace: string, event_id: string) =>
    nativeEvent({ event_id, trace_id: trace.repeat(32), user_id: 'ann' });
  await receiveEvents(database, [call('a', 'a1'), call('b', 'b1'), call('c', 'c1')]);
  for (const user_id of [null, 'ann']) {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const asked = tracesRequest.parse({ ...EVERY_TRACE, limit: 1, cursor, user_id });
      const { traces, next_cursor }: TracesAnswer = await listTraces({ database }, asked);
      found.push(...traces.map(({ trace_id: id }) => (id ?? '').slice(0, 1)));
      cursor = next_cursor;
      // What is to come, and what was shown, are called once more.
      await receiveEvents(database, [call('a', `a${found.length}${user_id}`)]);
      await receiveEvents(database, [call('c', `c${found.length}${user_id}`)]);
    } while (cursor !== null);
    expect(found.sort()).toEqual(['a', 'b', 'c']);
  }
});

it('a trace that is found by other tags after a correction stays on the page that is still to be read', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const call = (trace: string, event_id: string) =>
    nativeEvent({ event_id, trace_id: trace.repeat(32), user_id: 'ann' });
  const calls = [call('a', 'a1'), call('b', 'b1'), call('a', 'a2'), call('c', 'c1')];
  for (const one of calls) await receiveEvents(database, [one]);
  const pageFrom = async (cursor: string | null): Promise<TracesAnswer> =>
    listTraces(
      { database },
      tracesRequest.parse({ ...EVERY_TRACE, limit: 1, cursor, user_id: 'ann' }),
    );
  const pages = [await pageFrom(null)];
  const [newest] = await textRows(database, "select entry_id from entries where event_id = 'a2'");
  await postCorrections(database, () => parseInstant('2026-10-21T00:00:00Z'), [
    {
      entryId: BigInt(newest?.['entry_id'] ?? ''),
      change: { userId: 'bob' },
      note: { reason: 'it was bob', actor: 'ada' },
    },
  ]);
  for (let cursor = pages[0]?.next_cursor ?? null; cursor !== null; ) {
    const page = await pageFrom(cursor);
    pages.push(page);
    cursor = page.next_cursor;
  }
  const found = pages.flatMap(({ traces }) => traces.map(({ trace_id: id }) => id?.slice(0, 1)));
  expect(found).toEqual(['c', 'a', 'b']);
});

it('a cost that came late is the cost of its call and of the trace', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme');
  await receiveEvents(database, [nativeEvent({ event_id: 'a', trace_id: 'a'.repeat(32) })]);
  const trace = async () => {
    const request = tracesRequest.parse({ ...EVERY_TRACE, limit: 10, cursor: null });
    const { traces } = await listTraces({ database }, request);
    return traces[0];
  };
  expect(await trace()).toMatchObject({ cost: null, spans: [{ cost: null }] });
  await importBook(database, {
    ...{ book: 'late', kind: 'cost', currency: 'USD', effective_from: '2026-01-01T00:00:00Z' },
    models: [{ model: 'gpt-4o', per_million: { input: '1', output: '1' } }],
  });
  const clock = () => parseInstant('2026-10-21T00:00:00Z');
  const note = { reason: 'the cost came late', actor: 'ada' };
  const october = { month: '2026-10', tenant_id: null, dry_run: false };
  await rerateMonth({ database, clock }, { ...october, ...note });
  // 1,100 tokens at 1 a million.
  expect(await trace()).toMatchObject({ calls: 1, cost: '0.0011', spans: [{ cost: '0.0011' }] });
});

const EVERY_TRACE = {
  ...{ tenant_id: null, user_id: null, feature: null, agent_run_id: null, trace_id: null },
  ...{ from: null, to: null, as_of: null },
};
