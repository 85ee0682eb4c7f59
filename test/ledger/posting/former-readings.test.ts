import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBody } from '../../../src/events/read-body.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase } from '../../support/database.ts';
import { importBooks, receive } from '../../support/ledger.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase({ connections: 2 }));
  await importBooks(database, 'standard', 'cost');
});

afterAll(() => drop());

const AT = '2026-10-20T12:00:00Z';

const LITELLM = {
  id: 'chatcmpl-former',
  call_type: 'acompletion',
  status: 'success',
  custom_llm_provider: 'openai',
  model: 'gpt-4o',
  model_group: 'gpt-4o',
  prompt_tokens: 1000,
  completion_tokens: 100,
  total_tokens: 1100,
  startTime: 1792065598.1,
  endTime: 1792065600.3,
  metadata: {
    user_api_key_team_id: 'acme',
    spend_logs_metadata: { userId: 'ann', promptVersion: 3, note: 'x' },
  },
  hidden_params: {},
  model_map_information: {},
};

const SPAN = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'a000000000000000',
  name: 'chat',
  startTimeUnixNano: '1792065598000000000',
  endTimeUnixNano: '1792065600000000000',
  attributes: {
    tenant_id: 'acme',
    'ai.settings.context.userId': 'ann',
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 100,
  },
};
const OTLP = { resourceSpans: [{ scopeSpans: [{ scope: { name: 'ai' }, spans: [SPAN] }] }] };

/** The event as it was read when tags in camel case were none, as far as the change says. */
function formerly(message: object, change: (event: Record<string, unknown>) => void): string {
  const context = { receivedAt: Date.parse(AT), litellmKey: null, attributes: {} };
  const [item] = readBody(JSON.stringify(message), context);
  const event = JSON.parse(item?.body() ?? '') as Record<string, unknown>;
  change(event);
  return JSON.stringify(event);
}

test('an event that was received when tags in camel case were further tags is a duplicate when it comes again', async () => {
  const before = formerly(LITELLM, (event) => {
    expect([event['user_id'], event['prompt_version']]).toEqual(['ann', '3']);
    delete event['user_id'];
    delete event['prompt_version'];
    event['tags'] = { ...(event['tags'] as object), userId: 'ann', promptVersion: '3' };
  });
  expect(await receive(database, [before], AT)).toEqual(['posted']);
  expect(await receive(database, [JSON.stringify(LITELLM)], AT)).toEqual(['duplicate']);
  // What differs in anything else is another content, as ever.
  const other = { ...LITELLM, completion_tokens: 101, total_tokens: 1101 };
  expect(await receive(database, [JSON.stringify(other)], AT)).toEqual(['conflict']);
});

test('a span that was received when such attributes were passed over is a duplicate when it comes again', async () => {
  const before = formerly(OTLP, (event) => {
    expect(event['user_id']).toBe('ann');
    delete event['user_id'];
  });
  expect(await receive(database, [before], AT)).toEqual(['posted']);
  expect(await receive(database, [JSON.stringify(OTLP)], AT)).toEqual(['duplicate']);
});

test('a producer that mends a tag sends another content', async () => {
  const payload = { ...LITELLM, id: 'chatcmpl-mended', trace_id: 't' };
  const { spend_logs_metadata: _, ...metadata } = LITELLM.metadata;
  const untagged = { ...payload, metadata };
  expect(await receive(database, [JSON.stringify(untagged)], AT)).toEqual(['posted']);
  expect(await receive(database, [JSON.stringify(payload)], AT)).toEqual(['conflict']);
});

test('an image that was received as text output is a duplicate when it comes again', async () => {
  const call = {
    ...{ event_id: 'drawn', occurred_at: AT, status: 'ok', operation: 'image', tenant_id: 'acme' },
    ...{ provider: 'openai', requested_model: 'gpt-image-1.5' },
  };
  const before = { ...call, usage: { input_tokens: 50, output_tokens: 4160 } };
  const usage = { input_tokens: 50, output_tokens: 4160, total_tokens: 4210 };
  const again = { ...call, provider_usage: usage };
  expect(await receive(database, [JSON.stringify(before)], AT)).toEqual(['posted']);
  expect(await receive(database, [JSON.stringify(again)], AT)).toEqual(['duplicate']);
  const other = { ...call, provider_usage: { ...usage, output_tokens: 4161, total_tokens: 4211 } };
  expect(await receive(database, [JSON.stringify(other)], AT)).toEqual(['conflict']);
});

test('spans that were charged by the coarser report, or twice, are duplicates when they come again', async () => {
  const call = (values: object, ids: object) => ({
    ...{ ...SPAN, traceId: '1af7651916cd43dd8448eb211c80319c', ...ids },
    attributes: { tenant_id: 'acme', 'gen_ai.request.model': 'gpt-4o', ...values },
  });
  const inner = call(
    {
      'gen_ai.operation.name': 'chat',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 60,
    },
    { spanId: 'a000000000000002', parentSpanId: 'a000000000000001' },
  );
  const outer = call(
    {
      'openinference.span.kind': 'LLM',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.cache_read.input_tokens': 600,
      'gen_ai.usage.output_tokens': 100,
      'gen_ai.usage.reasoning.output_tokens': 40,
    },
    { spanId: 'a000000000000001' },
  );
  const of = (...spans: object[]) =>
    JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope: { name: 'litellm' }, spans }] }] });
  // Each alone is read as both were once, when they were two calls.
  expect(await receive(database, [of(inner), of(outer)], AT)).toEqual(['posted', 'posted']);
  expect(await receive(database, [of(outer, inner)], AT)).toEqual(['duplicate', 'duplicate']);
});
