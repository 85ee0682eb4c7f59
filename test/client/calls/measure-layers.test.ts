import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layersOf, weighRequest } from '../../../src/client/calls/measure-layers.ts';
import { readProviderUsage } from '../../../src/events/provider-usage.ts';
import { ROOT } from '../../support/source-files.ts';

const of = (text: string) => 'x'.repeat(text.length);

describe('the layers of a request', () => {
  it('of OpenAI: definitions, calls and results of tools are tool', () => {
    const request = {
      model: 'gpt-4o',
      tools: [{ type: 'function' }],
      messages: [
        { role: 'system', content: of('be brief') },
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_1' }] },
        { role: 'tool', content: of('sunny') },
      ],
    };
    const weights = weighRequest(JSON.stringify(request), null);
    // names count like words: they are sent, too
    expect(weights.tool).toBe(
      'typefunction'.length + 'idcall_1'.length + 'roletoolcontentsunny'.length,
    );
    expect(weights.prompt).toBe(
      'rolesystemcontentbe brief'.length + 'roleassistantcontenttool_calls'.length,
    );
  });

  it('of Anthropic and of responses: blocks and items of tools are tool', () => {
    const messages = JSON.stringify({
      system: 'abc',
      messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'abcd' }] }],
    });
    expect(weighRequest(messages, null).tool).toBe('typetool_resultcontentabcd'.length);
    const responses = JSON.stringify({
      instructions: 'abc',
      input: [{ type: 'function_call_output', output: 'abcd' }],
    });
    expect(weighRequest(responses, null)).toEqual({
      prompt: 3,
      tool: 'typefunction_call_outputoutputabcd'.length,
      memory: 0,
    });
    expect(weighRequest('{"input":"abcd"}', null)).toEqual({ prompt: 4, tool: 0, memory: 0 });
  });

  it('memory is what the application says', () => {
    const request = {
      messages: [{ role: 'system', name: 'memory', content: 'abcd' }, { content: 'x' }],
    };
    const isMemory = (message: unknown) => JSON.stringify(message).includes('"memory"');
    expect(weighRequest(JSON.stringify(request), isMemory)).toEqual({
      ...{ memory: 'rolesystemnamememorycontentabcd'.length, prompt: 'contentx'.length, tool: 0 },
    });
  });

  it('are whole tokens that add up to what the provider counted', () => {
    const weight = fc.nat({ max: 1_000_000 });
    fc.assert(
      fc.property(
        weight,
        weight,
        weight,
        fc.nat({ max: 2_000_000 }),
        (prompt, tool, memory, input) => {
          const layers = layersOf({ prompt, tool, memory }, { input, output: 7 });
          if (input === 0 || prompt + tool + memory === 0) {
            expect(layers).toBeUndefined();
            return;
          }
          const { prompt: ofPrompt = 0, tool: ofTool = 0, memory: ofMemory = 0 } = layers ?? {};
          expect(
            [ofPrompt, ofTool, ofMemory].every(
              (tokens) => Number.isInteger(tokens) && tokens! >= 0,
            ),
          ).toBe(true);
          expect((ofPrompt ?? 0) + (ofTool ?? 0) + (ofMemory ?? 0)).toBe(input);
          expect(layers?.response).toBe(7);
        },
      ),
    );
  });
});

const RECORDED = join(ROOT, '../shared/data/real-llm-calls-usage.jsonl');

it.skipIf(!existsSync(RECORDED))('of recorded calls divide what their providers counted', () => {
  const calls = readFileSync(RECORDED, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(calls.length).toBeGreaterThan(500);
  let divided = 0;
  for (const { chars, usage, provider, response_model: model } of calls) {
    const counted = readProviderUsage({ usage, provider, model }).usage ?? {};
    const input = Number(counted['input_tokens'] ?? 0);
    const layers = layersOf(chars, { input, output: Number(counted['output_tokens'] ?? 0) });
    if (layers === undefined) continue;
    divided += 1;
    expect((layers.prompt ?? 0) + (layers.tool ?? 0) + (layers.memory ?? 0)).toBe(input);
    expect(chars.tool > 0 || layers.tool === 0).toBe(true);
  }
  expect(divided).toBeGreaterThan(400);
});
