import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { UsageEvent } from '../../src/events/event.ts';
import { isMeasured } from '../../src/events/event.ts';
import { readNativeEvent } from '../../src/events/native-event.ts';
import { parseDecimal } from '../../src/money.ts';
import type { BookVersion, PriceCatalog } from '../../src/rating/books/price-catalog.ts';
import { buildCatalog } from '../../src/rating/books/price-catalog.ts';
import type { Rate } from '../../src/rating/books/rate.ts';
import { buildRates } from '../../src/rating/books/rate-index.ts';
import type { RatedPart } from '../../src/rating/rate-event.ts';
import { rateEvent } from '../../src/rating/rate-event.ts';
import type { RatedTokens, UnitAmounts } from '../../src/rating/rate-usage.ts';
import { amountOf } from '../../src/rating/rate-usage.ts';
import type { FurtherUnit, FurtherUnits } from '../../src/units.ts';
import { FURTHER_UNITS } from '../../src/units.ts';
import { anyBook, plainEvent, toEvent } from '../model/histories.ts';
import type { ModelBook, ModelRow } from '../model/reference-prices.ts';
import { priceOf, share } from '../model/reference-prices.ts';
import { cases } from '../support/cases.ts';

const longRun = { timeout: 7_200_000 };

/** Any books, one version a name and date; a base that is not among them is no base. */
const books = fc.array(anyBook, { minLength: 1, maxLength: 6 }).map((drawn) => {
  const byKey = new Map(drawn.map((book) => [`${book.book} ${book.effective_from}`, book]));
  return [...byKey.values()];
});

const bookName = fc.constantFrom('standard', 'override', 'plus', 'pass');

/** Read as the worker reads it, so that what cannot be received is not rated either. */
const event = plainEvent.map((drawn) => {
  const native = toEvent({ ...drawn, operation: 'chat' }, 0);
  const reading = readNativeEvent(native, parseInstant('2027-01-01T00:00:00Z'));
  if (reading.kind !== 'event') throw new Error(reading.detail);
  return reading.event;
});

const count = fc.bigInt({ min: 0n, max: 10n ** 9n });
const tokens = fc.record({
  uncachedInput: count,
  cacheRead: count,
  cacheWrite: count,
  output: count,
  callShare: fc.bigInt({ min: 0n, max: 1_000_000n }),
  units: fc.option(unitAmounts(fc.bigInt({ min: 0n, max: 10n ** 9n })), { nil: null }),
});
const rate = fc
  .record({
    ...{ input: count, output: count, cacheRead: count, cacheWrite: count },
    units: unitAmounts(
      count,
      FURTHER_UNITS.map(({ name }) => name),
    ),
  })
  .chain((perToken) =>
    fc.bigInt({ min: 0n, max: 10n ** 9n }).map(
      (perCallMicro): Rate => ({
        ...perToken,
        rateId: 1n,
        book: 'standard',
        provider: null,
        model: 'large',
        serviceTier: 'standard',
        aboveInputTokens: 0n,
        perCall: perCallMicro * 1_000_000n,
      }),
    ),
  );

function unitAmounts(
  amount: fc.Arbitrary<bigint>,
  requiredKeys: readonly FurtherUnit[] = [],
): fc.Arbitrary<UnitAmounts> {
  const fields = Object.fromEntries(FURTHER_UNITS.map(({ name }) => [name, amount]));
  return fc.record(fields, { requiredKeys: [...requiredKeys] });
}

describe('any event under any books', longRun, () => {
  test('is priced as the reference model prices it, member by member', () => {
    fc.assert(
      fc.property(books, bookName, event, (drawn, book, call) => {
        const parts = rateEvent(call, pricing(drawn, book));
        const weights = call.members === null ? null : splitOf(call);
        for (const [index, part] of parts.entries()) {
          const { uncachedInput: uncached, cacheRead: read, cacheWrite: write } = part.usage;
          const expected = priceOf(
            drawn,
            {
              occurredAt: call.occurredAt,
              status: part.status,
              provider: call.provider,
              requested: call.requestedModel ?? '',
              executed: call.executedModel ?? '',
              tier: call.serviceTier,
              gateway: call.gatewayCache !== 'none',
              tokens: {
                ...{ uncached, read, write, output: part.usage.output },
                units: part.usage.units ?? {},
              },
              context: part.contextTokens,
              share: part.callShare,
              measured: isMeasured(call.usage),
            },
            { attributed: part.tenantId !== 'unattributed', book: assigned(drawn, book) },
          );
          expect(amountsOf(part)).toEqual(expected);
          if (weights !== null) expect(uncached).toBe(weights[index]);
        }
      }),
      cases(500),
    );
  });

  test('has parts that sum to it in every bucket, in its share of the call, and in cost', () => {
    fc.assert(
      fc.property(books, event, (drawn, call) => {
        const allOk = call.members?.map((member) => ({ ...member, status: 'ok' as const })) ?? null;
        const parts = rateEvent(
          { ...call, status: 'ok', members: allOk },
          pricing(drawn, 'standard'),
        );
        const whole = rateEvent(
          { ...call, status: 'ok', members: null },
          pricing(drawn, 'standard'),
        )[0];
        const sum = (of: (part: (typeof parts)[number]) => number) =>
          parts.reduce((total, part) => total + of(part), 0);
        expect({
          uncachedInput: sum((part) => part.usage.uncachedInput),
          cacheRead: sum((part) => part.usage.cacheRead),
          cacheWrite: sum((part) => part.usage.cacheWrite),
          output: sum((part) => part.usage.output),
          reasoning: sum((part) => part.usage.reasoning),
          units: parts.reduce<FurtherUnits | null>(
            (all, part) => addCounts(all, part.usage.units),
            null,
          ),
        }).toEqual(call.usage);
        expect(sum((part) => part.callShare)).toBe(1_000_000);
        const costs = parts.map((part) => part.cost);
        const known = costs.filter((cost) => cost !== null);
        // Whoever has what has no price has no cost; else the parts cost what the whole costs.
        if (whole?.cost === null) expect(costs).toContain(null);
        else expect(known.reduce((a, b) => a + b, 0n)).toBe(whole?.cost);
      }),
      cases(500),
    );
  });

  test('gets the same price again, and a charge only where it succeeded for a known tenant', () => {
    fc.assert(
      fc.property(books, bookName, event, (drawn, book, call) => {
        const parts = rateEvent(call, pricing(drawn, book));
        const again = rateEvent(call, pricing([...drawn].reverse(), book));
        expect(again.map(amountsOf)).toEqual(parts.map(amountsOf));
        for (const part of parts) {
          const mayCharge = part.status === 'ok' && part.tenantId !== 'unattributed';
          if (!mayCharge) expect(part.charge).toBe(0n);
          expect(part.charge === null).toBe(['unrated', 'unmeasured'].includes(part.outcome));
          expect((part.charge ?? 0n) >= 0n && (part.cost ?? 0n) >= 0n).toBe(true);
        }
      }),
      cases(500),
    );
  });
});

describe('tokens times a rate', longRun, () => {
  test('are additive: the amounts of two halves sum to the amount of the whole', () => {
    fc.assert(
      fc.property(tokens, tokens, rate, caching, (a, b, of, how) => {
        const both = {
          uncachedInput: a.uncachedInput + b.uncachedInput,
          cacheRead: a.cacheRead + b.cacheRead,
          cacheWrite: a.cacheWrite + b.cacheWrite,
          output: a.output + b.output,
          callShare: a.callShare + b.callShare,
          units: addUnits(a.units, b.units),
        };
        const amount = (of_: RatedTokens) => amountOf(of_, of, how) ?? -1n;
        expect(amount(both)).toBe(amount(a) + amount(b));
      }),
      cases(500),
    );
  });

  test('under work_done are what they are without any cache', () => {
    fc.assert(
      fc.property(tokens, rate, (of, at) => {
        const uncached = asUncached(of);
        const forWork = amountOf(of, at, 'work_done');
        expect(forWork).toBe(amountOf(uncached, at, 'work_done'));
        expect(forWork).toBe(amountOf(uncached, at, 'pass_through'));
      }),
      cases(500),
    );
  });
});

function addUnits(a: UnitAmounts | null, b: UnitAmounts | null): UnitAmounts {
  const sum = (name: FurtherUnit) => (a?.[name] ?? 0n) + (b?.[name] ?? 0n);
  return Object.fromEntries(FURTHER_UNITS.map(({ name }) => [name, sum(name)]));
}

/** The same usage if nothing of it had been read from a cache or written to one. */
function asUncached(of: RatedTokens): RatedTokens {
  const { units } = of;
  const { cache_write_1h_tokens = 0n, ...rest } = units ?? {};
  const { cache_read_audio_tokens = 0n, cache_read_image_tokens = 0n, ...others } = rest;
  return {
    ...of,
    uncachedInput: of.uncachedInput + of.cacheRead + of.cacheWrite + cache_write_1h_tokens,
    cacheRead: 0n,
    cacheWrite: 0n,
    units: {
      ...others,
      input_audio_tokens: (units?.input_audio_tokens ?? 0n) + cache_read_audio_tokens,
      input_image_tokens: (units?.input_image_tokens ?? 0n) + cache_read_image_tokens,
    },
  };
}

const caching = fc.constantFrom('work_done' as const, 'pass_through' as const);

function amountsOf({ outcome, charge, cost, requestedCost }: RatedPart) {
  return { outcome, charge, cost, requestedCost };
}

function splitOf(call: UsageEvent): readonly number[] {
  const members = call.members ?? [];
  const own = members.map((member) => member.inputTokens ?? 0);
  const weights = own.some((tokens) => tokens > 0)
    ? own
    : members.map(({ weight }) => (weight ?? 0) * 4);
  return share(call.usage.uncachedInput, weights);
}

function assigned(drawn: readonly ModelBook[], book: string): string | null {
  return drawn.some((one) => one.book === book) ? book : null;
}

function pricing(drawn: readonly ModelBook[], book: string) {
  const name = assigned(drawn, book);
  const assignment = name === null ? null : { book: name, currency: 'USD' };
  return { catalog: catalogOf(drawn), bookOf: () => assignment };
}

function catalogOf(drawn: readonly ModelBook[]): PriceCatalog {
  return buildCatalog(
    drawn.map(
      (book): BookVersion => ({
        book: book.book,
        effectiveFrom: parseInstant(book.effective_from),
        kind: book.kind,
        currency: book.currency,
        caching: book.caching ?? 'work_done',
        baseBook: book.base ?? null,
        costFactor: book.cost_factor === undefined ? null : units(book.cost_factor, 6),
        baseFactor: null,
        rates: buildRates(book.models.map((row) => rateOf(book.book, row))),
      }),
    ),
  );
}

function rateOf(book: string, row: ModelRow): Rate {
  const { input, output, cache_read = input, cache_write = input } = row.per_million;
  return {
    rateId: 1n,
    book,
    provider: row.provider ?? null,
    model: row.model,
    serviceTier: row.service_tier ?? 'standard',
    aboveInputTokens: BigInt(row.above_input_tokens ?? 0),
    perCall: units(row.per_call ?? '0', 12),
    input: units(input, 6),
    output: units(output, 6),
    cacheRead: units(cache_read, 6),
    cacheWrite: units(cache_write, 6),
    units: unitRatesOf(row),
  };
}

/** By the table of the project, which the reference model does not know. */
function unitRatesOf(row: ModelRow): UnitAmounts | null {
  const scale = { million: 6, thousand: 9, one: 12, second: 9 } as const;
  const groups = {
    million: row.per_million,
    thousand: row.per_thousand,
    second: row.per_second,
    one: { per_image: row.per_image },
  };
  const rates = FURTHER_UNITS.flatMap(({ name, price }) => {
    const prices: Readonly<Record<string, string | undefined>> = groups[price.per] ?? {};
    const decimal = prices[price.rate];
    return decimal === undefined ? [] : [[name, units(decimal, scale[price.per])] as const];
  });
  return rates.length === 0 ? null : Object.fromEntries(rates);
}

function addCounts(all: FurtherUnits | null, more: FurtherUnits | null): FurtherUnits | null {
  if (more === null) return all;
  const sum: Partial<Record<FurtherUnit, number>> = { ...all };
  for (const { name } of FURTHER_UNITS) {
    const count = (sum[name] ?? 0) + (more[name] ?? 0);
    if (count > 0) sum[name] = count;
  }
  return sum;
}

function units(decimal: string, scale: number): bigint {
  const parsed = parseDecimal(decimal, scale);
  if (parsed === null) throw new Error(`${decimal} is no decimal`);
  return parsed;
}
