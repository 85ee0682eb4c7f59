import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scaleLayers } from '../../src/rating/scale-layers.ts';
import { cases } from '../support/cases.ts';

const usage = (input: number, output: number) => ({
  uncachedInput: input,
  cacheRead: 0,
  cacheWrite: 0,
  output,
  reasoning: 0,
  units: null,
});

it('leaves layers that already sum to the input as they are', () => {
  const layers = { prompt: 50, tool: 30, memory: 20, response: 7 };
  expect(scaleLayers(layers, usage(100, 7))).toEqual(layers);
});

it('scales layers that do not sum by largest remainder', () => {
  // 10 over 1:1:1 = 3.33 each: 4, 3, 3.
  const layers = { prompt: 1, tool: 1, memory: 1, response: 0 };
  expect(scaleLayers(layers, usage(10, 5))).toEqual({ prompt: 4, tool: 3, memory: 3, response: 5 });
});

it('counts every layer of the input, memory too', () => {
  const layers = { prompt: 1, tool: 1, memory: 2, response: 0 };
  expect(scaleLayers(layers, usage(8, 0))).toEqual({ prompt: 2, tool: 2, memory: 4, response: 0 });
});

it('leaves the whole input to the prompt where no layer says anything', () => {
  const layers = { prompt: 0, tool: 0, memory: 0, response: 0 };
  expect(scaleLayers(layers, usage(9, 1))).toEqual({ prompt: 9, tool: 0, memory: 0, response: 1 });
});

it('counts cached input as input', () => {
  const cached = { ...usage(40, 0), cacheRead: 50, cacheWrite: 10 };
  const layers = { prompt: 1, tool: 1, memory: 0, response: 0 };
  expect(scaleLayers(layers, cached)).toEqual({ prompt: 50, tool: 50, memory: 0, response: 0 });
});

it('always sums to the usage', () => {
  const tokens = fc.integer({ min: 0, max: 1_000_000_000 });
  const layers = fc.record({ prompt: tokens, tool: tokens, memory: tokens, response: tokens });
  fc.assert(
    fc.property(layers, tokens, tokens, (given, input, output) => {
      const scaled = scaleLayers(given, usage(input, output));
      expect(scaled.prompt + scaled.tool + scaled.memory).toBe(input);
      expect(scaled.response).toBe(output);
    }),
    cases(300),
  );
});
