import { describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { UsageEvent } from '../../src/events/event.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import type { BookVersion } from '../../src/rating/books/price-catalog.ts';
import { buildCatalog } from '../../src/rating/books/price-catalog.ts';
import type { Rate } from '../../src/rating/books/rate.ts';
import { buildRates } from '../../src/rating/books/rate-index.ts';
import { rateEvent } from '../../src/rating/rate-event.ts';

/** What random events meet too rarely to prove: fees of failed calls, and rates that are not asked for. */

const AT = parseInstant('2026-10-15T12:00:00Z');

/** 10 p an input token, 100 p an output token, and 2,000,000 p a call. */
const RATE: Rate = {
  rateId: 1n,
  book: 'standard',
  provider: null,
  model: 'large',
  serviceTier: 'standard',
  aboveInputTokens: 0n,
  perCall: 2_000_000n,
  input: 10n,
  output: 100n,
  cacheRead: 1n,
  cacheWrite: 10n,
  units: null,
};

function version(kind: 'charge' | 'cost', currency: string): BookVersion {
  const book = kind === 'charge' ? 'standard' : `paid-${currency}`;
  const from = { book, effectiveFrom: 0, kind, currency, caching: 'work_done' } as const;
  const rates = buildRates([{ ...RATE, book, rateId: kind === 'charge' ? 1n : 2n }]);
  return { ...from, baseBook: null, costFactor: null, baseFactor: null, rates };
}

const PRICING = {
  catalog: buildCatalog([version('charge', 'EUR'), version('cost', 'EUR'), version('cost', 'USD')]),
  bookOf: () => ({ book: 'standard', currency: 'EUR' }),
};

function rate(change: Readonly<Record<string, unknown>>) {
  const [part] = rateEvent(read(change), PRICING);
  if (part === undefined) throw new Error('an event has at least one part');
  return part;
}

function read(change: Readonly<Record<string, unknown>>): UsageEvent {
  const native = {
    event_id: 'e1',
    occurred_at: '2026-10-15T12:00:00Z',
    status: 'ok',
    requested_model: 'large',
    tenant_id: 'acme',
    usage: { input_tokens: 1000, output_tokens: 10 },
    ...change,
  };
  const reading = readNativeEvent(native, AT);
  if (reading.kind !== 'event') throw new Error(reading.detail);
  return reading.event;
}

describe('a call without members', () => {
  it('is one part, without a member, charged and paid with its fee', () => {
    // 1000 × 10 + 10 × 100 + 2,000,000 = 2,011,000 p.
    expect(rate({})).toMatchObject({
      memberId: '',
      outcome: 'charged',
      charge: 2_011_000n,
      cost: 2_011_000n,
      currency: 'EUR',
    });
  });

  it('of nobody has no charge rate and the default currency, whatever the books say', () => {
    const part = rate({ tenant_id: null });
    expect(part).toMatchObject({ outcome: 'unattributed', charge: 0n, currency: 'USD' });
    expect(part.chargeRate).toBeNull();
    expect(part.costRate?.version.book).toBe('paid-USD');
  });

  it('that no other model answered has no cost of another', () => {
    expect(rate({}).requestedCost).toBeNull();
    const [part] = rateEvent({ ...read({}), executedModel: null }, PRICING);
    expect(part).toMatchObject({ cost: 2_011_000n, requestedCost: null });
  });
});

describe('the layers of a call', () => {
  const layered = (layers: object | undefined) => rate(layers === undefined ? {} : { layers });

  it.each([
    ['that it did not say', undefined, false, null],
    ['that sum to its usage', { prompt: 600, tool: 300, memory: 100, response: 10 }, false, 600],
    [
      'of which the prompt does not fit',
      { prompt: 100, tool: 300, memory: 100, response: 10 },
      true,
      200,
    ],
    [
      'of which the response does not fit',
      { prompt: 600, tool: 300, memory: 100, response: 9 },
      true,
      600,
    ],
  ])('%s', (_what, layers, layersScaled, prompt) => {
    const part = layered(layers);
    expect(part.layersScaled).toBe(layersScaled);
    expect(part.layers?.prompt ?? null).toBe(prompt);
  });
});

it('the layers of a divided call are measured by the usage of all of it', () => {
  const members = [{ member_id: 'a' }, { member_id: 'b' }];
  const scaled = (layers: object) =>
    rateEvent(read({ layers, members }), PRICING).map(({ layersScaled }) => layersScaled);
  expect(scaled({ prompt: 600, tool: 300, memory: 100, response: 10 })).toEqual([false, false]);
  expect(scaled({ prompt: 600, tool: 300, memory: 100, response: 9 })).toEqual([true, true]);
});

describe('the cost of a call', () => {
  it('that a gateway answered from its cache is nothing, also where it has no price', () => {
    expect(rate({ gateway_cache: 'exact' }).cost).toBe(0n);
    expect(rate({ gateway_cache: 'exact', executed_model: 'of nobody' }).cost).toBe(0n);
    expect(rate({ executed_model: 'of nobody' }).cost).toBeNull();
  });

  it('that failed and counted a unit alone is not nothing', () => {
    const usage = { input_tokens: 0, output_tokens: 0, searches: 1 };
    expect(rate({ status: 'error', usage }).cost).toBeNull();
  });

  it.each([
    ['that failed before the provider counted anything is nothing', 'error', 0, 0, 0n],
    ['that was cancelled before the provider counted anything is nothing', 'cancelled', 0, 0, 0n],
    // 1 × 10 + 2,000,000
    ['that failed after its input is paid with its fee', 'error', 1, 0, 2_000_010n],
    // 1 × 100 + 2,000,000
    ['that failed after some output is paid with its fee', 'error', 0, 1, 2_000_100n],
  ])('%s', (_what, status, input_tokens, output_tokens, cost) => {
    const part = rate({ status, usage: { input_tokens, output_tokens } });
    expect(part.cost).toBe(cost);
    expect(part.charge).toBe(0n);
    expect(part.chargeRate).toBeNull();
  });

  it('that succeeded and measured nothing is unknown, and so is its charge', () => {
    const part = rate({ usage: { input_tokens: 0, output_tokens: 0 } });
    expect(part).toMatchObject({ outcome: 'unmeasured', charge: null, cost: null });
    expect(rate({ usage: {} })).toMatchObject({ outcome: 'unmeasured', charge: null, cost: null });
  });

  it('that has a unit without a price is unknown, and so is its charge', () => {
    const usage = { input_tokens: 9, input_audio_tokens: 4, output_tokens: 1, searches: 2 };
    expect(rate({ usage })).toMatchObject({
      outcome: 'unrated',
      charge: null,
      cost: null,
      chargeRate: null,
      unpriced: ['input_audio_tokens', 'searches'],
    });
  });
});
