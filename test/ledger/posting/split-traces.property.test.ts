import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { cases } from '../../support/cases.ts';
import { freshDatabase, resetTables, textRows } from '../../support/database.ts';
import { importBooks, receive } from '../../support/ledger.ts';

/**
 * A trace of nineteen calls, of which most are reported twice: by the client library within the span of a
 * framework, with one step or three between the two, an embedding by one library in two spans of one name, two calls
 * within a span that counts both, a call whose wrapper counted nothing, and one whose inner span did. Of the spans
 * that name no operation one lies around two calls and counts more than both, one around another one like it, one
 * around a call that counted nothing itself, one counted nothing around one that did, one lies around a failure, and one
 * around nothing. Spans of the program stand between two reports of one call, below a span that names no operation, and between
 * a call and the request that has its tenant. One asks a gateway for another model than the gateway's own span names. An exporter sends its spans in whatever messages and order, and a queue brings each of them more than once.
 */
const SPANS = [
  span('a1', { kind: 'openinference', model: 'gpt-4o', input: 1000, output: 100, ms: 2_500 }),
  span('a2', { parent: 'a1', model: 'gpt-4o', input: 1000, output: 100, response: 'r-1' }),
  span('b1', { model: 'gpt-4o', input: 2000, output: 50, response: 'r-2' }),
  span('c1', { operation: 'embeddings', model: 'gpt-4o', ms: 2_500 }),
  span('c2', { parent: 'c1', operation: 'embeddings', model: 'gpt-4o', input: 700 }),
  span('d1', { operation: 'invoke_agent', input: 3700, output: 150 }),
  span('e1', { kind: 'openinference', model: 'gpt-4o', input: 300, output: 10, ms: 2_500 }),
  span('e2', { parent: 'e1', operation: 'invoke_workflow', ms: 2_300 }),
  span('e3', { parent: 'e2', model: 'gpt-4o', input: 300, output: 10, response: 'r-3' }),
  span('f1', { kind: 'openinference', model: 'gpt-4o', input: 400, output: 20, ms: 2_500 }),
  span('f2', { parent: 'f1', operation: 'invoke_workflow', ms: 2_400 }),
  span('f3', { parent: 'f2', operation: 'execute_tool', ms: 2_300 }),
  span('f4', { parent: 'f3', operation: 'invoke_agent', ms: 2_200 }),
  span('f5', { parent: 'f4', model: 'gpt-4o', input: 400, output: 20, response: 'r-4' }),
  span('g1', { operation: 'my_loop', model: 'gpt-4o', input: 700, output: 70, ms: 2_500 }),
  span('g2', { parent: 'g1', model: 'gpt-4o', input: 600, output: 40, response: 'r-5' }),
  span('g3', { parent: 'g1', operation: 'invoke_agent', ms: 2_400 }),
  span('g4', { parent: 'g3', model: 'gpt-4o', input: 100, output: 30 }),
  span('h1', { model: 'gpt-4o', ms: 2_500 }),
  span('h2', { parent: 'h1', model: 'gpt-4o', input: 200, output: 60 }),
  span('i1', { model: 'gpt-4o', input: 500, output: 80, ms: 2_500 }),
  span('i2', { parent: 'i1', model: 'gpt-4o', response: 'r-6' }),
  span('aa', { kind: 'unnamed', model: 'gpt-4o', input: 901, output: 91, ms: 2_500 }),
  span('ab', { parent: 'aa', model: 'gpt-4o', input: 800, output: 70, response: 'r-7' }),
  span('ac', { parent: 'aa', operation: 'execute_tool', ms: 2_400 }),
  span('ad', { parent: 'ac', operation: 'embeddings', model: 'gpt-4o', input: 50 }),
  span('ba', { kind: 'unnamed', model: 'gpt-4o', input: 333, output: 33, ms: 2_500 }),
  span('bb', { parent: 'ba', kind: 'unnamed', model: 'gpt-4o', input: 250, output: 20 }),
  span('ca', { kind: 'unnamed', model: 'gpt-4o', input: 150, output: 25, ms: 2_500 }),
  span('cb', { parent: 'ca', model: 'gpt-4o', response: 'r-8' }),
  span('da', { kind: 'unnamed', model: 'gpt-4o', ms: 2_500 }),
  span('db', { parent: 'da', operation: 'invoke_agent', ms: 2_400 }),
  span('dc', { parent: 'db', model: 'gpt-4o', input: 350, output: 35, response: 'r-9' }),
  span('ea', { kind: 'unnamed', model: 'gpt-4o', input: 80, output: 5, ms: 2_500 }),
  span('eb', { parent: 'ea', model: 'gpt-4o', error: 'rate_limit' }),
  span('fa', { kind: 'openinference', model: 'gpt-4o', input: 620, output: 15, ms: 2_500 }),
  span('fb', { parent: 'fa', kind: 'program', ms: 2_400 }),
  span('fc', { parent: 'fb', kind: 'program', ms: 2_300 }),
  span('fd', { parent: 'fc', model: 'gpt-4o', input: 620, output: 15, response: 'r-10' }),
  span('ga', { kind: 'unnamed', model: 'gpt-4o', input: 410, output: 12, ms: 2_500 }),
  span('gb', { parent: 'ga', kind: 'program', ms: 2_400 }),
  span('gc', { parent: 'gb', model: 'gpt-4o', input: 400, output: 10, response: 'r-11' }),
  span('ha', { kind: 'program', tenant: 'acme', ms: 2_500 }),
  span('hb', { parent: 'ha', kind: 'program', ms: 2_400 }),
  span('hc', {
    parent: 'hb',
    model: 'gpt-4o',
    input: 30,
    output: 3,
    tenant: null,
    response: 'r-12',
  }),
  span('ia', { kind: 'openinference', model: 'gpt-4o', input: 90, output: 9, ms: 2_500 }),
  span('ib', { parent: 'ia', operation: 'invoke_workflow', ms: 2_400 }),
  span('ic', { parent: 'ib', model: 'gpt-4o-mini', input: 90, output: 9, response: 'r-13' }),
];

interface SpanFacts {
  readonly kind?: 'openinference' | 'unnamed' | 'program';
  /** Calls are of acme where nothing else is said, and spans of the program of nobody. */
  readonly tenant?: string | null;
  readonly operation?: string;
  readonly parent?: string;
  readonly model?: string;
  readonly input?: number;
  readonly output?: number;
  readonly response?: string;
  readonly ms?: number;
  readonly error?: string;
}

function span(id: string, facts: SpanFacts) {
  const { kind, operation = 'chat', parent, model, input, output, response, ms = 2_000 } = facts;
  const { tenant = kind === 'program' ? null : 'acme' } = facts;
  const attributes = {
    ...(tenant === null ? {} : { tenant_id: tenant }),
    ...(kind === undefined ? { 'gen_ai.operation.name': operation } : {}),
    ...(kind === 'openinference' ? { 'openinference.span.kind': 'LLM' } : {}),
    ...(facts.error === undefined ? {} : { 'error.type': facts.error }),
    ...(model === undefined ? {} : { 'gen_ai.request.model': model }),
    ...(input === undefined ? {} : { 'gen_ai.usage.input_tokens': input }),
    ...(output === undefined ? {} : { 'gen_ai.usage.output_tokens': output }),
    ...(response === undefined ? {} : { 'gen_ai.response.id': response }),
    ...(kind === 'program'
      ? { 'http.request.method': 'POST' }
      : { 'gen_ai.provider.name': 'openai' }),
  };
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: id.padEnd(16, '0'),
    ...(parent === undefined ? {} : { parentSpanId: parent.padEnd(16, '0') }),
    name: id,
    startTimeUnixNano: '1792065598000000000',
    endTimeUnixNano: `${1_792_065_598_000 + ms}000000`,
    attributes,
  };
}

const scope = { name: 'gen_ai' };
const bodyOf = (spans: readonly object[]) =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope, spans }] }] });

/** The message in which each span is, the order of the messages, and which of them come together. */
const delivery = fc.record({
  messageOf: fc.array(fc.nat({ max: 3 }), { minLength: SPANS.length, maxLength: SPANS.length }),
  order: fc.shuffledSubarray([0, 1, 2, 3, 0, 1, 2, 3], { minLength: 8, maxLength: 8 }),
  together: fc.boolean(),
  // Folded while the rest is on its way, or only when all is there.
  folded: fc.boolean(),
});

it('a trace is charged the same in whichever messages and order it comes, and however often', async () => {
  const database = await freshDatabase({ connections: 4 });
  await fc.assert(
    fc.asyncProperty(delivery, async ({ messageOf, order, together, folded }) => {
      await resetTables(database);
      await importBooks(database, 'standard', 'cost');
      const messages = [0, 1, 2, 3].map((message) =>
        SPANS.filter((_, index) => messageOf[index] === message),
      );
      const bodies = order.flatMap((message) => {
        const spans = messages[message] ?? [];
        return spans.length === 0 ? [] : [bodyOf(spans)];
      });
      const at = '2026-10-20T12:00:00Z';
      if (together) await receive(database, bodies, at);
      else
        for (const body of bodies) {
          await receive(database, [body], at);
          if (folded) await foldAll(database, systemClock);
        }
      await foldAll(database, systemClock);
      const [sum] = await textRows(
        database,
        `select sum(charge) as charge,
           count(*) filter (where not is_reversal) - count(*) filter (where is_reversal) as standing
         from entries where status = 'ok'`,
      );
      // (1000 + 2000 + 700 + 300 + 400 + 600 + 100 + 200 + 500) x 3 = 17,400 micro-dollars, and
      // (100 + 50 + 10 + 20 + 40 + 30 + 60 + 80) x 12 = 4,680, of nine calls. Of those within spans, or in spans,
      // that name no operation (800 + 50 + 250 + 150 + 350 + 80) x 3 = 5,040 and (70 + 20 + 25 + 35 + 5) x 12 = 1,860.
      // Of those with spans of the program around them (620 + 400 + 30) x 3 = 3,150 and (15 + 10 + 3) x 12 = 336.
      // The call that a gateway asked of gpt-4o-mini was asked of it as gpt-4o: 90 x 3 + 9 x 12 = 378.
      expect(sum).toEqual({ charge: '32844000000', standing: '19' });
    }),
    cases(12),
  );
});
