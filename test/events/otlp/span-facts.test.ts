import { describe, expect, test } from 'vitest';
import { readNativeEvent } from '../../../src/events/native-event.ts';
import { type Attributes, CHAT, onlyEvent, span, translate } from '../../support/otlp-spans.ts';

/** After every span. */
const RECEIVED_AT = Date.UTC(2027, 0, 1);

describe('what failed', () => {
  test('a generation of Langfuse by its level, as in any other span', () => {
    const generation = {
      'langfuse.observation.type': 'generation',
      'langfuse.observation.model.name': 'gpt-4o',
      'langfuse.observation.usage_details': '{"input":10,"output":5}',
    };
    const level = (name: string) => ({ ...generation, 'langfuse.observation.level': name });
    expect(onlyEvent(span(level('ERROR')))['status']).toBe('error');
    expect(onlyEvent(span(level('DEFAULT')))['status']).toBe('ok');
  });

  test('a call that names no model is one of an unknown model only where it failed', () => {
    const chat = { 'gen_ai.operation.name': 'chat' };
    const failed = onlyEvent(span({ ...chat, 'error.type': 'Timeout' }));
    expect(failed).toMatchObject({ requested_model: 'unknown', status: 'error' });
    expect(readNativeEvent(failed, RECEIVED_AT).kind).toBe('event');
    expect(onlyEvent(span(chat))).not.toHaveProperty('requested_model');
  });
});

test('LangChain names the requested model otherwise', () => {
  const langchain = {
    'openinference.span.kind': 'LLM',
    'llm.model_name': 'gpt-4o-mini',
    'llm.invocation_parameters': '{"model_name":"gpt-4o","temperature":0}',
  };
  expect(onlyEvent(span(langchain))).toMatchObject({
    requested_model: 'gpt-4o',
    executed_model: 'gpt-4o-mini',
  });
});

describe('of several tenants', () => {
  test.each<[Attributes, string]>([
    [{ 'spanledger.customer_id': 'right', 'metadata.tenant_id': 'wrong' }, 'right'],
    [{ customer_id: 'acme', 'metadata.tenant_id': 'azure-directory' }, 'acme'],
    [{ customerId: 'acme', 'langfuse.trace.metadata.tenant_id': 'azure-directory' }, 'acme'],
    [{ tenant_id: 'acme', customer_id: 'acme' }, 'acme'],
  ])('%j is the one in the most deliberate place', (tags, tenant) => {
    const event = onlyEvent(span({ ...CHAT, ...tags }));
    expect(event['tenant_id']).toBe(tenant);
    expect(readNativeEvent(event, RECEIVED_AT).kind).toBe('event');
  });

  test('two in one place are refused, of a span or of one around it', () => {
    const two = { customer_id: 'acme', tenant_id: 'azure-directory' };
    const inner = span(CHAT, { spanId: 'c', parentSpanId: 'a' });
    const around = span({ 'gen_ai.operation.name': 'invoke_agent', ...two }, { spanId: 'a' });
    const events = [onlyEvent(span({ ...CHAT, ...two })), translate(around, inner)[1]?.event];
    for (const event of events) {
      expect(readNativeEvent(event ?? {}, RECEIVED_AT)).toMatchObject({
        kind: 'refused',
        detail: expect.stringContaining('contradicts tenant_id'),
      });
    }
    const own = span({ ...CHAT, tenant_id: 'own' }, { spanId: 'c', parentSpanId: 'a' });
    expect(translate(around, own)[1]?.event).not.toHaveProperty('customer_id');
  });
});
