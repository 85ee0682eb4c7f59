import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, textRows } from '../../support/database.ts';
import { importBooks, receive } from '../../support/ledger.ts';
import type { Attributes } from '../../support/otlp-spans.ts';
import { CHAT, span } from '../../support/otlp-spans.ts';
import { brokenLaws } from '../../support/worker.ts';

/** Nested reports of one call (R8): one charge in however many messages they come, and in whatever order. */

let database: TestDatabase;
let drop: () => Promise<void>;
let traces = 0;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
});
afterAll(() => drop());

interface Span {
  readonly id: string;
  readonly within?: string;
  readonly of: Attributes;
}

const call = (id: string, within?: string, more: Attributes = {}): Span => ({
  ...{ id, within: within as string },
  of: { ...CHAT, tenant_id: 'acme', ...more },
});
const answered = (id: string, within?: string, more: Attributes = {}) =>
  call(id, within, { 'gen_ai.response.id': `chatcmpl-${id}`, ...more });
const request = (id: string, within: string): Span => ({
  ...{ id, within },
  of: { 'http.request.method': 'POST' },
});
const tool = (id: string, within: string): Span => ({
  ...{ id, within },
  of: { 'gen_ai.operation.name': 'execute_tool', tenant_id: 'acme' },
});
const output = (tokens: number) => ({ 'gen_ai.usage.output_tokens': tokens });

const TREES: readonly [string, readonly Span[], readonly string[]][] = [
  ['only the outer one names its answer', [answered('a'), call('b', 'a')], ['b']],
  ['only the inner one names its answer', [call('a'), answered('b', 'a')], ['b']],
  ['the inner one counted nothing', [answered('a'), unmeasured('b', 'a')], ['a']],
  ['a request lies between them', [answered('a'), request('b', 'a'), call('c', 'b')], ['c']],
  ['a tool lies between them', [answered('a'), tool('b', 'a'), call('c', 'b')], ['c']],
  [
    'a tool lies between them, and they count another output',
    [answered('a'), tool('b', 'a'), call('c', 'b', output(19))],
    ['a', 'c'],
  ],
  ['the middle one of three names it', [call('a'), answered('b', 'a'), call('c', 'b')], ['c']],
  ['the outermost of three names it', [answered('a'), call('b', 'a'), call('c', 'b')], ['c']],
  [
    'two requests lie between them',
    [answered('a'), request('b', 'a'), request('c', 'b'), call('d', 'c')],
    ['d'],
  ],
  [
    'two calls lie within one that answered',
    [answered('a'), call('b', 'a', output(19)), call('c', 'a', output(18))],
    ['a', 'b', 'c'],
  ],
];

it.each(TREES)('nested reports of which %s', async (_what, spans, kept) => {
  for (const messages of groupings(spans)) {
    const trace = (++traces).toString(16).padStart(32, '0');
    for (const message of messages) {
      await receive(database, [bodyOf(message, trace)], '2026-12-20T12:00:00Z');
      await fold();
    }
    const how = messages.map((message) => message.map(({ id }) => id).join('')).join(' ');
    expect(await standing(trace), how).toEqual(kept.map(spanIdOf));
  }
  expect(await brokenLaws(database)).toEqual([]);
});

it('a call whose span answered is another one where it asked another model past a step', async () => {
  const mini = { 'gen_ai.request.model': 'gpt-4o-mini' };
  const trace = (++traces).toString(16).padStart(32, '0');
  for (const one of [call('c', 'b', mini), request('b', 'a'), answered('a')]) {
    await receive(database, [bodyOf([one], trace)], '2026-12-20T12:00:00Z');
    await fold();
  }
  expect(await standing(trace)).toEqual(['a', 'c'].map(spanIdOf));
});

/**
 * All ways to send three spans or fewer in messages one after another. Of more, each comes by itself: a request that comes with an
 * answer around it is not kept, since it stands in every trace of such calls.
 */
function groupings(spans: readonly Span[]): readonly (readonly (readonly Span[])[])[] {
  const rotations = spans.map((_, n) => [...spans.slice(n), ...spans.slice(0, n)]);
  const orders = [...rotations, ...rotations.map((order) => order.toReversed())];
  const areApart = spans.length > 3 || spans.some(({ of }) => 'http.request.method' in of);
  const ways = areApart
    ? [[spans], ...orders.map((order) => order.map((one) => [one]))]
    : orders.flatMap(splits);
  const keyOf = (way: readonly (readonly Span[])[]) =>
    way.map((message) => message.map(({ id }) => id).toSorted()).join(' ');
  return [...new Map(ways.map((way) => [keyOf(way), way])).values()];
}

function splits(spans: readonly Span[]): readonly (readonly (readonly Span[])[])[] {
  if (spans.length === 0) return [[]];
  return spans.flatMap((_, n) =>
    splits(spans.slice(n + 1)).map((rest) => [spans.slice(0, n + 1), ...rest]),
  );
}

function unmeasured(id: string, within: string): Span {
  return call(id, within, { 'gen_ai.usage.input_tokens': 0, 'gen_ai.usage.output_tokens': 0 });
}

function spanIdOf(id: string): string {
  return id.charCodeAt(0).toString(16).padStart(16, '0');
}

function bodyOf(spans: readonly Span[], traceId: string): string {
  const resourceSpans = spans.map(({ id, within, of }) => {
    const answer = of['gen_ai.response.id'];
    const attributes =
      answer === undefined ? of : { ...of, 'gen_ai.response.id': `${answer}${traceId}` };
    const parentSpanId = within === undefined ? {} : { parentSpanId: spanIdOf(within) };
    return span(attributes, { ...{ traceId, spanId: spanIdOf(id), kind: 3 }, ...parentSpanId });
  });
  return JSON.stringify({ resourceSpans });
}

function fold() {
  return foldAll(database, () => parseInstant('2026-12-20T12:00:00Z'));
}

async function standing(trace: string): Promise<readonly (string | undefined)[]> {
  const rows = await textRows(
    database,
    `select span_id from audit.entries a
     where trace_id = '${trace}' and not is_reversal and not exists (
       select from audit.entries c where c.corrects_entry_id = a.entry_id)
     order by span_id`,
  );
  return rows.map(({ span_id: id }) => id ?? undefined);
}
