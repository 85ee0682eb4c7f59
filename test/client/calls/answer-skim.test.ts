import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MEMBERS, readAnswer } from '../../../src/client/calls/answer-reading.ts';
import { AnswerSkim } from '../../../src/client/calls/answer-skim.ts';
import { meterFetch } from '../../../src/client/calls/meter-fetch.ts';
import { collectEvents } from '../../support/event-collector.ts';

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant('"\\\\"'), fc.constant('é😀'));
const item = fc.oneof(
  fc.jsonValue(),
  fc.record(
    { type: text, action: fc.record({ type: text, query: text }), content: fc.jsonValue() },
    { requiredKeys: [] },
  ),
);
const answers = fc.dictionary(
  fc.oneof(fc.constantFrom(...MEMBERS, 'output', 'data', 'type'), text),
  fc.oneof(fc.jsonValue(), text, fc.array(item, { maxLength: 4 })),
);
const spaces = fc.constantFrom(undefined, 1, '\t', '\r\n ');

function skimmed(answer: string, sizes: readonly number[]) {
  const skim = new AnswerSkim();
  for (let at = 0, nth = 0; at < answer.length; nth += 1) {
    const size = sizes[nth % sizes.length] ?? 1;
    skim.take(answer.slice(at, at + size));
    at += size;
  }
  return skim.answer;
}

describe('a skim of an answer', () => {
  it('reads what a reading of the whole does, however the answer is cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(answers, spaces, sizes, (answer, space, cuts) => {
        const whole = JSON.stringify(answer, null, space);
        expect(skimmed(whole, cuts)).toEqual(readAnswer(whole));
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.array(fc.string()), (texts) => void skimmed(texts.join(''), [3])));
    const marks = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ 1a') });
    fc.assert(fc.property(marks, (marked) => void skimmed(marked, [1])));
  });
});

it('a skim keeps little, whatever is long', () => {
  const long = 'x'.repeat(10_000);
  const many = Array.from({ length: 2_500 }, () => ({ type: long, content: [{ text: long }] }));
  const skim = new AnswerSkim();
  skim.take(
    `{"error":"${long}","usage":{"input_tokens":1,"of":["${`${long}","`.repeat(9)}"]},"output":[`,
  );
  for (const each of many) skim.take(`${JSON.stringify(each)},`);
  skim.take('{"type":"message"}],"data":[[1,2],[3]],"id":"resp_1"}');
  const { output, ...answer } = skim.answer;
  expect(answer).toMatchObject({ id: 'resp_1', items: 2, error: '', usage: { input_tokens: 1 } });
  expect(JSON.stringify(answer).length).toBeLessThan(1_000);
  expect(JSON.stringify(output).length).toBeLessThan(100_000);
});

/** What the event says of an answer of some megabytes. */
async function eventOf(path: string, sent: object, answer: object) {
  const { usage, events } = await collectEvents();
  const metered = meterFetch(usage, {}, async () => Response.json(answer));
  const init = { method: 'POST', body: JSON.stringify(sent) };
  await (await metered(`https://api.openai.com/v1${path}`, init)).json();
  const [event] = await events();
  return event;
}

const PICTURE = 'QUJD'.repeat(600_000);

describe('an answer of megabytes', () => {
  const answer = {
    ...{ id: 'resp_68af4030592c81938ec0a5fbab4a3e9f05438e46', object: 'response' },
    ...{ model: 'gpt-5-2025-08-07', service_tier: 'priority', status: 'completed', error: null },
    output: [
      { type: 'image_generation_call', result: PICTURE },
      { type: 'web_search_call', action: { type: 'search', query: 'weather' } },
      { type: 'web_search_call', action: { type: 'open_page', url: 'https://example.com' } },
    ],
    usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
  };

  it('is read as one that is short', async () => {
    expect(await eventOf('/responses', { model: 'gpt-5' }, answer)).toMatchObject({
      ...{ status: 'ok', response_id: answer.id, service_tier: 'priority' },
      provider_usage: { input_tokens: 10, output_tokens: 5, web_search_requests: 1 },
    });
  });

  it('tells searches from pages that were opened, and so does a short one', async () => {
    const short = { ...answer, output: answer.output.slice(1) };
    expect(await eventOf('/responses', { model: 'gpt-5' }, short)).toMatchObject({
      provider_usage: { web_search_requests: 1 },
    });
  });

  it('that says that the call failed is a failed call', async () => {
    const failed = { ...answer, status: 'failed', error: { code: 'server_error' } };
    expect(await eventOf('/responses', { model: 'gpt-5' }, failed)).toMatchObject({
      ...{ status: 'error', error_type: 'server_error', response_id: answer.id },
    });
  });

  it('with pictures and without usage counts its pictures', async () => {
    const pictures = { created: 1792065600, data: [{ b64_json: PICTURE }, { b64_json: 'QUJD' }] };
    expect(await eventOf('/images/generations', { model: 'dall-e-3' }, pictures)).toMatchObject({
      ...{ status: 'ok', usage: { images: 2 } },
    });
  });
});
