import { describe, expect, it } from 'vitest';
import type { TraceStart } from '../../src/client/tracing/usage-trace.ts';
import { withUsage } from '../../src/client/usage-scope.ts';
import { collectEvents } from '../support/event-collector.ts';

const AT = Date.UTC(2026, 9, 15, 12);
const scene = () => {
  let now = AT;
  return collectEvents({
    clock: () => {
      now += 1000;
      return now;
    },
  });
};

describe('a trace in the shape that agent-cost products use', () => {
  it('becomes a call with its tokens and the tags of its trace, and keeps no text', async () => {
    const { usage, events, unmetered } = await scene();
    const prompt = 'my secret question';
    const [user_id, tenant_id, feature] = ['ann', 'acme', 'search'];
    const [input_tokens, output_tokens] = [1200, 300];
    // word for word as such products show it
    const trace = await usage.startTrace({
      name: 'agent: answer',
      metadata: { user_id, tenant_id, feature },
    });
    const span = await trace.addSpan({ name: 'llm-call', input: { prompt } });
    await span.end({
      status: 'ok',
      output: {
        model: 'gpt-4o-mini',
        input_tokens,
        output_tokens,
        text: 'my secret answer',
        ...{ user_id, tenant_id, feature },
      },
    });
    await trace.end({ status: 'success' });

    const [call, root] = await events();
    expect(call).toEqual({
      event_id: `${trace.traceId}:1`,
      occurred_at: '2026-10-15T12:00:04.000Z',
      started_at: '2026-10-15T12:00:03.000Z',
      status: 'ok',
      operation: 'chat',
      requested_model: 'gpt-4o-mini',
      executed_model: 'gpt-4o-mini',
      usage: { input_tokens: 1200, output_tokens: 300 },
      ...{ tenant_id, user_id, feature },
      tags: { span_name: 'llm-call' },
      trace_id: trace.traceId,
      span_id: '1',
      parent_span_id: '0',
    });
    expect(root).toMatchObject({
      event_id: `${trace.traceId}:0`,
      operation: 'invoke_agent',
      status: 'ok',
      tags: { span_name: 'agent: answer' },
    });
    expect(JSON.stringify([call, root])).not.toContain('secret');
    expect(unmetered).toEqual([]);
  });

  it('hands its tags down, and a span may say otherwise', async () => {
    const { usage, events } = await scene();
    await withUsage({ promptVersion: 'v7', tenantId: 'nobody' }, async () => {
      const metadata = { tenant_id: 'acme', user_id: 42, plan: 'gold' };
      const trace = await usage.startTrace({ id: 't1', metadata });
      const outer = await trace.addSpan({ metadata: { feature: 'search', plan: 'silver' } });
      const inner = await outer.addSpan({ input: { model: 'gpt-4o' } });
      const output = { usage: { prompt_tokens: 7, completion_tokens: 1 }, user_id: 'bob' };
      await inner.end({ output });
      await outer.end();
    });
    const [call, step] = await events();
    expect(call).toMatchObject({
      ...{ event_id: 't1:1.1', parent_span_id: '1', requested_model: 'gpt-4o' },
      ...{ tenant_id: 'acme', user_id: 'bob', feature: 'search', prompt_version: 'v7' },
      tags: { plan: 'silver' },
      provider_usage: { prompt_tokens: 7, completion_tokens: 1 },
    });
    expect(step).toMatchObject({ event_id: 't1:1', operation: 'step', user_id: '42' });
  });

  it('of a repeated job is the same events, where the job gives its id and its times', async () => {
    const { usage, events } = await scene();
    const start: TraceStart = { id: 'job-7', startedAt: AT };
    for (const _ of [1, 2]) {
      const trace = await usage.startTrace(start);
      const span = await trace.addSpan({ id: 'answer', startedAt: AT });
      const output = { model: 'gpt-4o', input_tokens: 5, output_tokens: 5 };
      await span.end({ output, endedAt: AT + 50 });
    }
    const [first, second] = await events();
    expect(first?.event_id).toBe('job-7:answer');
    expect(second).toEqual(first);
  });

  it('ends once, fails with its kind, and without any count is a call that nobody measured', async () => {
    const { usage, events } = await scene();
    const trace = await usage.startTrace({ metadata: { tenant_id: 'acme' } });
    const failed = await trace.addSpan({ metadata: { model: 'gpt-4o' } });
    const answers = [
      await failed.end({ status: 'error', errorType: 'rate_limit' }),
      await failed.end({ status: 'ok' }),
    ];
    expect(answers[1]).toBe(answers[0]);
    const blind = await trace.addSpan();
    await blind.end({ output: { model: 'gpt-4o' } });
    expect(await events()).toMatchObject([
      { status: 'error', error_type: 'rate_limit', requested_model: 'gpt-4o' },
      { status: 'ok', usage: {} },
    ]);
  });

  it('with tokens of no model is told, since nobody could price it', async () => {
    const { usage, unmetered, events } = await scene();
    const trace = await usage.startTrace();
    await (await trace.addSpan()).end({ output: { input_tokens: 1, output_tokens: 1 } });
    expect(await events()).toEqual([]);
    expect(usage.status().unmetered).toBe(1);
    expect(unmetered[0]?.reason).toMatch(/^invalid_field: requested_model: is missing/);
  });

  it('of an input count without an output count is told, since a half is no measure', async () => {
    const { usage, unmetered } = await scene();
    const trace = await usage.startTrace();
    await (await trace.addSpan()).end({ output: { model: 'gpt-4o', input_tokens: 1 } });
    expect(unmetered[0]?.reason).toMatch(/usage.output_tokens: is missing/);
  });
});

describe('withUsage', () => {
  it('tags whatever is recorded within it, and nests', async () => {
    const { usage, events } = await scene();
    const record = (change = {}) =>
      usage.record({
        ...{ occurred_at: '2026-10-15T12:00:00Z', status: 'ok', requested_model: 'gpt-4o' },
        usage: { input_tokens: 1, output_tokens: 1 },
        ...change,
      });
    await withUsage({ tenantId: 'acme', userId: 'ann', tags: { a: '1' } }, async () => {
      await withUsage({ feature: 'search', userId: null, tags: { b: '2' } }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        record();
        record({ tenant_id: 'globex', tags: { b: '3' } });
      });
      record();
    });
    record();
    // packed per tenant, one after the other
    const found = await events();
    expect(found.map(({ event_id: _, ...event }) => event)).toMatchObject([
      { tenant_id: 'acme', user_id: null, feature: 'search', tags: { a: '1', b: '2' } },
      { tenant_id: 'acme', user_id: 'ann', tags: { a: '1' } },
      { tenant_id: 'globex', feature: 'search', tags: { a: '1', b: '3' } },
      {},
    ]);
    expect(found.at(-1)).not.toHaveProperty('tenant_id');
  });
});
