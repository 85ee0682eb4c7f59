import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { checkProducer } from '../../src/ingest/check-producer.ts';
import { producerAnswer } from '../../src/ingest/producer-answer.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/otlp/', import.meta.url));

function check(text: string, isProtobuf = false) {
  const clock = () => parseInstant('2026-11-28T12:00:00Z');
  const parts = { clock, reading: { litellmKey: null, oldestDays: 100_000 } };
  return producerAnswer.parse(checkProducer(parts, { text, is_protobuf: isProtobuf }));
}

const EVENT = {
  event_id: 'e1',
  tenant_id: 'acme',
  occurred_at: '2026-11-20T12:00:00Z',
  status: 'ok',
  requested_model: 'gpt-4o',
  usage: { input_tokens: 100, cache_read_tokens: 40, input_audio_tokens: 10, output_tokens: 20 },
};

describe('every fixture', () => {
  test.each<[file: string, outcomes: object]>([
    ['ai-sdk-7.0.173_otel-1.0.173.traces.json', { call: 3, structure: 6 }],
    ['ai-sdk-7.0.173_otel-1.0.173.traces.pb', { call: 3, structure: 6 }],
    ['openinference-anthropic.traces.json', { call: 2, structure: 2 }],
    ['openinference-openai.traces.json', { call: 1 }],
    ['otel-openai.traces.json', { call: 2 }],
    ['traceloop-anthropic.traces.json', { call: 2 }],
    ['traceloop-openai.traces.json', { call: 1 }],
  ])('%s', (file, outcomes) => {
    const bytes = readFileSync(`${FIXTURES}${file}`);
    const isProtobuf = file.endsWith('.pb');
    const answer = check(bytes.toString(isProtobuf ? 'base64' : 'utf8'), isProtobuf);
    expect(answer.outcomes).toEqual(outcomes);
    for (const { event } of answer.items) expect(event?.identity.event_id).toMatch(/./);
    // Protobuf has numbers where names would be.
    expect(answer.ignored === null).toBe(isProtobuf);
  });

  test('has a line above', () => {
    expect(readdirSync(FIXTURES).length).toBe(7);
  });

  test('says that prompts are ignored, and repeats none', () => {
    const text = readFileSync(`${FIXTURES}ai-sdk-7.0.173_otel-1.0.173.traces.json`, 'utf8');
    const answer = check(text);
    const attribute = (name: string) => `resourceSpans[].scopeSpans[].spans[].attributes[${name}]`;
    expect(answer.ignored).toContain(attribute('gen_ai.input.messages'));
    expect(answer.ignored).not.toContain(attribute('gen_ai.usage.input_tokens'));
    const prompt = /"gen_ai\.input\.messages","value":\{"stringValue":"(.{40})/.exec(
      text.replaceAll(/\s*\n\s*/g, '').replaceAll('": ', '":'),
    )?.[1];
    expect(prompt).toBeDefined();
    expect(JSON.stringify(answer)).not.toContain(prompt);
  });
});

describe('a native event', () => {
  test('shows its units, in which no token is counted twice', () => {
    const [item] = check(JSON.stringify(EVENT)).items;
    // 100 of input are 40 cached, 10 of audio, and 50 others.
    expect(item?.event?.units).toEqual({
      input_tokens: 50,
      cache_read_tokens: 40,
      input_audio_tokens: 10,
      output_tokens: 20,
    });
    expect(item).toMatchObject({
      outcome: 'call',
      body: 1,
      event: { tags: { tenant_id: 'acme' } },
    });
  });

  test('with a field that nobody knows says so', () => {
    const { ignored } = check(JSON.stringify({ ...EVENT, usr: 'u', note: { a: [1, 2] } }));
    expect(ignored).toEqual(['note', 'usr']);
  });

  test('with an unknown field in its usage would wait in quarantine, and the field is named', () => {
    const usage = { ...EVENT.usage, inpt_tokens: 4 };
    const [item] = check(JSON.stringify({ ...EVENT, usage })).items;
    expect(item).toMatchObject({ outcome: 'quarantine', reason: 'invalid_field', event: null });
    expect(item?.detail).toContain('usage.inpt_tokens');
  });

  test('that measured nothing would hold the month', () => {
    const [item] = check(
      JSON.stringify({ ...EVENT, usage: { input_tokens: 0, output_tokens: 0 } }),
    ).items;
    expect(item).toMatchObject({ outcome: 'unmeasured', reason: 'no_usage' });
  });

  test('shows its reported cost exactly', () => {
    const reported_cost = { amount: '0.001230000001', currency: 'USD', source: 'litellm' };
    const [item] = check(JSON.stringify({ ...EVENT, reported_cost })).items;
    expect(item?.event?.reported_cost).toEqual(reported_cost);
  });
});

describe('a file of bodies', () => {
  const second = { ...EVENT, event_id: 'e2', operation: 'invoke_agent' };

  test.each<[form: string, text: string]>([
    ['one a line', `${JSON.stringify(EVENT)}\n${JSON.stringify(second)}\n`],
    ['a JSON array', JSON.stringify([EVENT, second], null, 2)],
  ])('is read as %s', (_, text) => {
    const answer = check(text);
    expect(answer.bodies).toBe(2);
    expect(answer.items.map(({ body, outcome }) => [body, outcome])).toEqual([
      [1, 'call'],
      [2, 'structure'],
    ]);
  });

  test('tells a repeated event from a conflict', () => {
    const other = { ...EVENT, usage: { input_tokens: 1, output_tokens: 1 } };
    const { items } = check([EVENT, EVENT, other].map((body) => JSON.stringify(body)).join('\n'));
    expect(items.map(({ outcome }) => outcome)).toEqual(['call', 'duplicate', 'conflict']);
  });

  test('names a line that is no JSON, and reads the others', () => {
    const { outcomes, items } = check(`{"broken"\n${JSON.stringify(EVENT)}`);
    expect(outcomes).toEqual({ quarantine: 1, call: 1 });
    expect(items[0]).toMatchObject({ body: 1, reason: 'not_json' });
  });

  test('with an event of several members is one item', () => {
    const members = [{ member_id: 'a', tenant_id: 't1' }, { member_id: 'b' }];
    const [item] = check(JSON.stringify({ ...EVENT, members })).items;
    expect(item?.event?.members?.map(({ member_id, tags }) => [member_id, tags.tenant_id])).toEqual(
      [
        ['a', 't1'],
        ['b', 'acme'],
      ],
    );
  });

  test('with more fields than can be tried says so instead of naming some', () => {
    const many = Array.from({ length: 400 }, (_, n) => ({ ...EVENT, event_id: `e${n}` }));
    expect(check(JSON.stringify(many)).ignored).toBeNull();
  });
});
