import { beforeEach, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

/** One call that two events report, and that is charged for both (R8, R24). */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
});

const answer = nativeEvent({ event_id: 'x1', source: 'sdk', response_id: 'resp_1' });
const again = {
  ...answer,
  ...{ event_id: 'x2', source: 'gateway', tenant_id: 'elm', occurred_at: '2026-10-15T12:00:01Z' },
};

it('a response under two tenants is named, in words, until one of the two is taken back', async () => {
  await receiveEvents(database, [answer]);
  await receiveEvents(database, [again]);
  const [first, second] = await textRows(
    database,
    'select entry_id from audit.entries order by entry_id',
  );
  expect(await reportedTwice()).toEqual([
    {
      kind: 'reported_twice',
      tenant_id: null,
      period_start: null,
      ...{ count: 2, amount: '0.0084', currency: 'USD' },
      detail: `one call is reported by event "x1" of source "sdk" under "acme" (${first?.['entry_id']}) and by event "x2" of source "gateway" under "elm" (${second?.['entry_id']})`,
      remedy: expect.anything(),
    },
  ]);
  expect(await reportedTwice(null, 'elm')).toHaveLength(1);
  expect(await reportedTwice(null, 'oak')).toEqual([]);
  expect(await reportedTwice('2026-09')).toEqual([]);
  await takeBack(second?.['entry_id'] ?? '');
  expect(await reportedTwice()).toEqual([]);
});

it('a call id under two tenants is named, and one that has a response in common as well only once', async () => {
  const called = { ...answer, call_id: 'c1' };
  await receiveEvents(database, [called, { ...again, call_id: 'c1' }]);
  await receiveEvents(database, [
    { ...called, event_id: 'y1', call_id: 'c2', response_id: undefined },
    { ...again, event_id: 'y2', call_id: 'c2', response_id: undefined },
  ]);
  expect(await reportedTwice()).toHaveLength(2);
});

it('what only looks alike is not named', async () => {
  const other = (event_id: string, change: object) => ({ ...again, event_id, ...change });
  await receiveEvents(database, [
    answer,
    other('counts', { usage: { input_tokens: 999, output_tokens: 99 } }),
    other('time', { tenant_id: 'fir', occurred_at: '2026-10-15T15:00:00Z' }),
    other('cache', { tenant_id: 'oak', gateway_cache: 'hit' }),
    other('failed', { tenant_id: 'yew', status: 'error', error_type: 'timeout' }),
    other('provider', { tenant_id: 'ivy', provider: 'anthropic', requested_model: 'claude-3' }),
  ]);
  expect(await reportedTwice()).toEqual([]);
});

const OUTER = { trace_id: 't', span_id: 'out', started_at: '2026-10-15T11:59:58Z' };
const around = nativeEvent({ event_id: 'around', ...OUTER });
const within = nativeEvent({
  ...{ event_id: 'within', trace_id: 't', span_id: 'in', parent_span_id: 'out' },
  started_at: '2026-10-15T11:59:59Z',
});
const counted = (input_tokens: number, output_tokens: number) => ({
  usage: { input_tokens, output_tokens },
});

it.each<[string, object, object]>([
  ['other tenants', {}, { tenant_id: 'elm' }],
  ['other answers', { response_id: 'gen-1' }, { response_id: 'resp_1' }],
  ['an output that the outer one lacks', counted(1000, 0), {}],
  ['an input that the inner one lacks', {}, counted(0, 100)],
  ['an input that the outer one estimates', counted(980, 100), {}],
  ['a date behind the model', counted(980, 100), { requested_model: 'gpt-4o-2024-08-06' }],
  ['a clock that is late', {}, { occurred_at: '2026-10-15T12:00:30Z' }],
  ['a tenant, and gave out one token', counted(1000, 1), { tenant_id: 'elm', ...counted(1000, 1) }],
  ['an input that one lacks, and gave out one token', counted(0, 1), counted(1000, 1)],
  ['an input that is estimated for a short answer', counted(1000, 16), counted(910, 16)],
  ['an input that a tool made longer', counted(1000, 117), counted(9000, 117)],
  ['a tenant, and embed', counted(12, 0), { tenant_id: 'elm', ...counted(12, 0) }],
])(
  'two calls, one right within the other, that are alike but for %s are named',
  async (_what, outer, inner) => {
    await receiveEvents(database, [{ ...around, ...outer }]);
    await receiveEvents(database, [{ ...within, ...inner }]);
    expect(await reportedTwice()).toMatchObject([
      { count: 2, detail: expect.stringMatching(/event "around" .* and by event "within"/) },
    ]);
  },
);

it.each<[string, object, object]>([
  ['another output', {}, counted(1000, 90)],
  ['another model, and lacks an input', {}, { ...counted(0, 100), requested_model: 'gpt-4o-mini' }],
  [
    'another answer and another input',
    { response_id: 'resp_1' },
    { ...counted(980, 100), response_id: 'resp_2' },
  ],
  [
    'another hour',
    {},
    { tenant_id: 'elm', occurred_at: '2026-10-15T14:00:00Z', started_at: '2026-10-15T14:00:00Z' },
  ],
  ['another input, and both gave out one token', counted(1000, 1), counted(990, 1)],
  ['another input, and both gave out few', counted(1000, 15), counted(990, 15)],
  ['quite another input, and both gave out little', counted(1000, 31), counted(800, 31)],
  ['quite another input, and both were cut off', counted(1000, 256), counted(300, 256)],
  ['another input, and both embed', counted(12, 0), { tenant_id: 'elm', ...counted(11, 0) }],
  ['a step around it', {}, { tenant_id: 'elm', parent_span_id: 'step' }],
  ['another trace', {}, { tenant_id: 'elm', trace_id: 'u' }],
  ['the same of all, and is joined', {}, {}],
])('a call within another one that has %s is not named', async (_what, outer, inner) => {
  await receiveEvents(database, [{ ...around, ...outer }]);
  await receiveEvents(database, [{ ...within, ...inner }]);
  expect(await reportedTwice()).toEqual([]);
});

const answered = { ...around, ...counted(1000, 117), response_id: 'resp_1' };
const beyond = { ...within, ...counted(1000, 117), parent_span_id: 'not-kept' };

it('a call within an answer that counts the same is named, though what lies between is not kept', async () => {
  await receiveEvents(database, [{ ...answered, source: 'app' }]);
  await receiveEvents(database, [{ ...beyond, source: 'gateway' }]);
  expect(await reportedTwice()).toMatchObject([
    { count: 2, detail: expect.stringMatching(/event "around" .* and by event "within"/) },
  ]);
});

it.each<[string, object]>([
  ['an answer of its own', { response_id: 'resp_2' }],
  ['another input', counted(999, 117)],
  ['another output', counted(1000, 118)],
  ['another model', { requested_model: 'gpt-4o-mini' }],
  ['another trace', { trace_id: 'u' }],
  ['nothing around it', { parent_span_id: undefined }],
  ['a time of its own', { occurred_at: '2026-10-15T12:00:03Z' }],
])('a call of the same trace that has %s is another one', async (_what, change) => {
  await receiveEvents(database, [answered]);
  await receiveEvents(database, [{ ...beyond, ...change }]);
  expect(await reportedTwice()).toEqual([]);
});

it('two calls right within one span are two, though they count the same and are asked at once', async () => {
  await receiveEvents(database, [{ ...answered, parent_span_id: 'not-kept' }]);
  await receiveEvents(database, [beyond]);
  expect(await reportedTwice()).toEqual([]);
});

it.each([31, 256])('%s tokens given out twice are chance', async (output) => {
  await receiveEvents(database, [{ ...answered, ...counted(1000, output) }]);
  await receiveEvents(database, [{ ...beyond, ...counted(1000, output) }]);
  expect(await reportedTwice()).toEqual([]);
});

it('an answer that counts what the calls right within it count together is named with them', async () => {
  const call = (name: string, input: number, output: number) => ({
    ...{ ...within, event_id: name, span_id: name, response_id: `resp_${name}` },
    ...counted(input, output),
  });
  const calls = [call('one', 300, 40), call('two', 700, 77)];
  await receiveEvents(database, [answered]);
  await receiveEvents(database, calls);
  expect(await reportedTwice()).toMatchObject([
    {
      ...{ tenant_id: 'acme', count: 3 },
      detail: expect.stringMatching(
        /^event "around" .* counts once more what the calls within it count together: event "one" .* and another call$/,
      ),
    },
  ]);
  await receiveEvents(database, [call('three', 1, 1)]);
  expect(await reportedTwice()).toEqual([]);
});

it('members of one call under two tenants share its response by right', async () => {
  await receiveEvents(database, [divided(['acme', 'elm'])]);
  expect(await reportedTwice()).toEqual([]);
});

it('a call that is divided in one report and whole in the other is named, whoever has it, the whole one first', async () => {
  await receiveEvents(database, [divided(['acme', 'acme'])]);
  await receiveEvents(database, [whole('acme')]);
  expect(await reportedTwice()).toMatchObject([
    {
      ...{ tenant_id: 'acme', count: 3 },
      detail: expect.stringMatching(
        /^one call is reported by event "mm2" .* and by event "mm1" of source "sdk" under "acme", divided among members/,
      ),
    },
  ]);
});

it('a whole report is compared with what a call of two tenants counted together', async () => {
  await receiveEvents(database, [whole('fir')]);
  await receiveEvents(database, [divided(['acme', 'elm'])]);
  expect(await reportedTwice(null, 'elm')).toMatchObject([{ tenant_id: null, count: 3 }]);
});

it('two reports at the turn of a month, in periods of two months, are named by both', async () => {
  await makeTenant(database, 'elm', { timeZone: 'Europe/Berlin' });
  const turn = { ...answer, occurred_at: '2026-10-31T23:00:00Z' };
  await receiveEvents(database, [turn], '2026-11-02T00:00:00Z');
  await receiveEvents(
    database,
    [{ ...again, occurred_at: '2026-10-31T23:00:01Z' }],
    '2026-11-02T00:00:00Z',
  );
  expect(await reportedTwice('2026-10')).toHaveLength(1);
  expect(await reportedTwice('2026-11')).toHaveLength(1);
});

function divided(tenants: readonly string[]) {
  return {
    ...whole(undefined),
    ...{ event_id: 'mm1', source: 'sdk' },
    members: tenants.map((tenant_id, n) => ({ member_id: `m${n}`, tenant_id })),
  };
}

function whole(tenant: string | undefined) {
  const usage = { input_tokens: 7000, output_tokens: 10 };
  return nativeEvent({
    ...{ event_id: 'mm2', source: 'gateway', tenant_id: tenant },
    ...{ response_id: 'resp_members_0001', usage },
  });
}

const clock = () => parseInstant('2026-11-03T12:00:00Z');

async function reportedTwice(month: string | null = '2026-10', tenant: string | null = null) {
  const missing = await nameMissing({ database, clock }, { month, tenant_id: tenant });
  return missing.filter(({ kind }) => kind === 'reported_twice');
}

async function takeBack(id: string): Promise<void> {
  const note = { reason: 'reported twice', actor: 'ada' };
  const entryId = BigInt(id.replace('ent_', ''));
  await postCorrections(database, clock, [{ entryId, change: null, note }]);
}
