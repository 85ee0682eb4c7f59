import fc from 'fast-check';
import type { ModelEvent } from './reference-events.ts';
import type { ModelChange, ModelCondition } from './reference-model.ts';
import type { ModelBook, ModelRow } from './reference-prices.ts';
import type { TenantSettings } from './reference-tenants.ts';
import type { ModelUnits } from './reference-units.ts';
import { MODEL_UNITS, sumOf } from './reference-units.ts';

/** Random histories: a pool of events, and what happens to them and around them, step by step. */

export interface History {
  readonly events: readonly ModelEvent[];
  readonly steps: readonly TimedStep[];
}

export type TimedStep = Step & { readonly at: number };

type Step =
  | { readonly kind: 'import'; readonly book: ModelBook }
  | { readonly kind: 'set'; readonly tenant: string; readonly settings: TenantSettings }
  /** Places in the pool; a changed one has the same identity and another content. */
  | {
      readonly kind: 'deliver';
      readonly batch: readonly Delivery[];
      /** One of two workers; what it knew of prices and tenants may be from long before. */
      readonly worker: number;
    }
  | { readonly kind: 'close'; readonly monthsBack: number; readonly tenant: string | null }
  /** The n-th entry that there is then, counted around; null voids it. */
  | { readonly kind: 'correct'; readonly nth: number; readonly change: ModelChange | null }
  | { readonly kind: 'rerate'; readonly monthsBack: number }
  /** Every call that has something in common, of a month or of any. */
  | {
      readonly kind: 'correct all';
      readonly where: ModelCondition;
      readonly monthsBack: number | null;
      readonly change: ModelChange | null;
    }
  /** Micro-dollars; the same id again may have another amount. */
  | {
      readonly kind: 'adjust';
      readonly tenant: string;
      readonly id: string;
      readonly micro: number;
    }
  /** A customer leaves some hours before the step, or after it. */
  | { readonly kind: 'leave'; readonly tenant: string; readonly hoursBack: number }
  | { readonly kind: 'reattribute'; readonly feature: string | null }
  /** The database is kept as it is, or goes back to what was kept last; workers go on. */
  | { readonly kind: 'dump' }
  | { readonly kind: 'restore' }
  | { readonly kind: 'fold' };

export interface Delivery {
  readonly nth: number;
  readonly isChanged: boolean;
}

const HOUR = 3_600_000;
const START = Date.parse('2026-09-20T10:00:00Z');
const MODELS = ['large', 'small', 'unknown'];
const TENANTS = ['acme', 'birch', 'cedar'];

/** Never in an event, so that no event that moves to it is there already. */
export const HEIR = 'heir';

const decimal = (most: number) =>
  fc.integer({ min: 0, max: most * 1_000_000 }).map((millionths) => (millionths / 1e6).toFixed(6));

const perMillion = fc.record(
  {
    ...{ input: decimal(9), output: decimal(40), cache_read: decimal(5), cache_write: decimal(5) },
    ...{ cache_write_1h: decimal(9), input_audio: decimal(40), input_image: decimal(9) },
    ...{ cache_read_audio: decimal(5), cache_read_image: decimal(5), output_audio: decimal(80) },
    ...{ output_image: decimal(40), input_video: decimal(9), characters: decimal(20) },
  },
  { requiredKeys: ['input', 'output'] },
);

const perThousand = fc.record(
  { searches: decimal(10), search_units: decimal(2), pages: decimal(1) },
  { requiredKeys: [] },
);
const perSecond = fc.record({ audio: decimal(1), video: decimal(1) }, { requiredKeys: [] });

const row = (model: string, more: Partial<ModelRow> = {}) =>
  fc
    .record(
      {
        per_million: perMillion,
        per_call: fc.constantFrom('0', '0', '0.000003', '0.01'),
        per_thousand: perThousand,
        per_second: perSecond,
        per_image: decimal(1),
      },
      { requiredKeys: ['per_million', 'per_call'] },
    )
    .map((prices): ModelRow => ({ model, ...more, ...prices }));

/** Rows of one book: what a model has, by context and tier; each book leaves something out. */
const chargeRows = fc.tuple(
  row('large'),
  row('small'),
  fc.option(row('large', { service_tier: 'batch' })),
  fc.option(row('small', { above_input_tokens: 1000 })),
  fc.option(row('unknown'), { freq: 1 }),
);

const costRows = fc.tuple(
  row('large'),
  row('small', { provider: 'east' }),
  row('small', { provider: 'west' }),
  fc.option(row('small', { provider: 'west', above_input_tokens: 1000 })),
  fc.option(row('large', { service_tier: 'batch' })),
  fc.option(row('unknown'), { freq: 1 }),
);

const present = (rows: readonly (ModelRow | null)[]) => rows.filter((one) => one !== null);

function version(book: string, more: Partial<ModelBook>) {
  const rows = book === 'provider' ? costRows : chargeRows;
  return rows.map((models): ModelBook => {
    const of = { book, kind: book === 'provider' ? 'cost' : 'charge', currency: 'USD' } as const;
    return { ...of, effective_from: '2026-01-01T00:00:00Z', models: present(models), ...more };
  });
}

const laterFrom = fc.constantFrom(
  '2026-01-01T00:00:00Z',
  '2026-09-25T00:00:00Z',
  '2026-10-10T12:00:00Z',
  '2026-10-31T23:30:00Z',
);

/** The same date with other content is refused; a later one is a new version. */
export const anyBook = fc
  .tuple(fc.constantFrom('standard', 'provider', 'override', 'plus', 'pass'), laterFrom)
  .chain(([book, effective_from]) => {
    switch (book) {
      case 'override':
        return row('large').map(
          (model): ModelBook => ({
            book,
            kind: 'charge',
            currency: 'USD',
            effective_from,
            base: 'standard',
            models: [model],
          }),
        );
      case 'plus':
        return decimal(3).map(
          (cost_factor): ModelBook => ({
            book,
            kind: 'charge',
            currency: 'USD',
            effective_from,
            cost_factor,
            models: [],
          }),
        );
      case 'pass':
        return version(book, { effective_from, caching: 'pass_through' });
      default:
        return version(book, { effective_from });
    }
  });

const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });

const text = fc.record({
  uncached: fc.integer({ min: 0, max: 2000 }),
  read: fc.constantFrom(0, 0, 7, 400),
  write: fc.constantFrom(0, 0, 5),
  output: fc.integer({ min: 0, max: 500 }),
});

/** One or two units beside text, or none, as most calls have it. */
const furtherUnits = fc.oneof(
  { weight: 3, arbitrary: fc.constant<ModelUnits>({}) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.tuple(fc.constantFrom(...Object.keys(MODEL_UNITS)), fc.integer({ min: 1, max: 300 })),
        { minLength: 1, maxLength: 2 },
      )
      .map((units): ModelUnits => Object.fromEntries(units)),
  },
);

/** An event counts a part in its totals, too. */
const usage = fc.tuple(text, furtherUnits).map(([{ uncached, read, write, output }, units]) => {
  const within = (of: Parameters<typeof sumOf>[1]) => sumOf(units, of);
  return {
    input_tokens: uncached + read + write + within({ side: 'input' }),
    cache_read_tokens: read + within({ side: 'input', within: 'cache_read_tokens' }),
    cache_write_tokens: write + within({ side: 'input', within: 'cache_write_tokens' }),
    output_tokens: output + within({ side: 'output' }),
    ...units,
  };
});

const members = fc
  .array(
    fc.record(
      {
        tenant_id: fc.constantFrom(...TENANTS),
        status: fc.constantFrom('ok', 'error', 'cancelled'),
        input_tokens: fc.integer({ min: 0, max: 50 }),
        output_tokens: fc.integer({ min: 0, max: 50 }),
        weight: fc.integer({ min: 0, max: 8 }).map((quarters) => quarters / 4),
      },
      { requiredKeys: [] },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((some) => some.map((member, index) => ({ member_id: `m${index}`, ...member })));

/** Hours after the start; half of the events are in the first ten days. */
const hoursAfter = fc.oneof(fc.integer({ min: -200, max: 240 }), fc.integer({ min: 0, max: 1500 }));

export const plainEvent = fc.record({
  hours: hoursAfter,
  status: fc.constantFrom('ok', 'ok', 'ok', 'error', 'cancelled'),
  operation: fc.constantFrom('chat', 'chat', 'chat', 'embeddings', 'execute_tool'),
  provider: maybe(fc.constantFrom('east', 'west')),
  requested_model: fc
    .integer({ min: 0, max: 19 })
    .map((n) => (n < 2 ? 'unknown' : n % 2 === 0 ? 'small' : 'large')),
  executed_model: maybe(fc.constantFrom(...MODELS)),
  response_id: maybe(fc.constantFrom('r1', 'r2', 'r3', 'r4')),
  service_tier: fc.constantFrom('standard', 'standard', 'batch', 'flex'),
  gateway_cache: fc.constantFrom('none', 'none', 'none', 'exact', 'semantic'),
  usage,
  tenant_id: fc.option(fc.constantFrom(...TENANTS), { nil: undefined, freq: 2 }),
  feature: maybe(fc.constantFrom('search', 'chat')),
  members: fc.option(members, { nil: undefined, freq: 4 }),
});

/** Attempts of calls in two traces; some producers number them, LiteLLM marks a weak name. */
const attempt = fc.record({
  hours: hoursAfter,
  status: fc.constantFrom('ok', 'error', 'cancelled'),
  requested_model: fc.constantFrom('large', 'small'),
  usage,
  tenant_id: fc.constantFrom(...TENANTS),
  trace_id: fc.constantFrom('t1', 't2'),
  parent_span_id: maybe(fc.constant('p1')),
  attempt: fc.integer({ min: 1, max: 3 }),
  tags: maybe(
    fc.constantFrom('model_group', 'model', 'strong').map((requested_model_source) => ({
      requested_model_source,
    })),
  ),
});

const pool = fc
  .array(fc.oneof({ weight: 3, arbitrary: plainEvent }, { weight: 2, arbitrary: attempt }), {
    minLength: 4,
    maxLength: 16,
    size: 'max',
  })
  .map((events) => events.map(toEvent));

export function toEvent(
  { hours, ...drawn }: { readonly hours: number; readonly [name: string]: unknown },
  index: number,
): ModelEvent {
  const defaults = {
    event_id: `e${index}`,
    source: index % 3 === 0 ? 'other' : 'app',
    operation: 'chat',
    service_tier: 'standard',
    gateway_cache: 'none',
    attempt: 1,
    provider: 'east',
    requested_model: 'large',
    status: 'ok' as const,
    usage: { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 },
  };
  // A millisecond of its own, so that no two attempts complete at once.
  const occurred_at = new Date(START + hours * HOUR + index).toISOString();
  const given = Object.entries(drawn).filter(([, value]) => value !== undefined);
  return { ...defaults, occurred_at, ...Object.fromEntries(given) };
}

const anyTenant = fc.constantFrom(...TENANTS);

const settings = fc.record(
  {
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Auckland'),
    anchor: fc.constantFrom(1, 15, 30, 31),
    book: fc.constantFrom('standard', 'override', 'plus', 'pass', 'provider'),
    mode: fc.constantFrom('live', 'live', 'shadow'),
  },
  { requiredKeys: [] },
);

const change = fc.oneof(
  fc.record({ output: fc.integer({ min: 0, max: 900 }) }),
  fc.record({ uncached: fc.integer({ min: 0, max: 3000 }) }),
  fc.record({ feature: fc.constantFrom('search', 'moved') }),
  fc.record({ status: fc.constantFrom('ok', 'error', 'cancelled') }),
  fc.record({ requested: fc.constantFrom(...MODELS) }),
  fc.record({ tenant: fc.constantFrom(...TENANTS, HEIR) }),
);

const delivery = fc.record({
  nth: fc.nat({ max: 40 }),
  isChanged: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

/** What a person may want to be another of many at once. */
const condition: fc.Arbitrary<ModelCondition> = fc.oneof(
  fc.record({ feature: fc.constantFrom('search', 'chat', null) }),
  fc.record({ requested: fc.constantFrom(...MODELS) }),
  fc.record({ tenant: fc.constantFrom(...TENANTS, HEIR) }),
  fc.record({ tenant: anyTenant, status: fc.constantFrom('ok', 'error') }),
);

const changeOfMany: fc.Arbitrary<ModelChange | null> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ feature: fc.constantFrom('search', 'moved') }) },
  { weight: 1, arbitrary: fc.record({ requested: fc.constantFrom(...MODELS) }) },
  { weight: 1, arbitrary: fc.record({ status: fc.constantFrom('ok', 'cancelled') }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

/** Counted back from the month of the step; most often it is the one that ended last. */
const monthsBack = fc.constantFrom(0, 1, 1, 1, 1, 2);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('deliver'),
      batch: fc.array(delivery, { minLength: 2, maxLength: 10, size: 'max' }),
      worker: fc.nat({ max: 1 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('close'),
      monthsBack,
      tenant: fc.option(fc.constantFrom(...TENANTS, 'nobody-knows'), { freq: 1 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('correct'),
      nth: fc.nat({ max: 60 }),
      change: fc.option(change, { freq: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('import'), book: anyBook }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set'), tenant: anyTenant, settings }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rerate'), monthsBack }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('reattribute'),
      feature: fc.option(fc.constantFrom('search', 'chat')),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('fold') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('dump') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restore') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('correct all'),
      where: condition,
      monthsBack: fc.option(monthsBack),
      change: changeOfMany,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('adjust'),
      tenant: fc.constantFrom(...TENANTS, HEIR),
      id: fc.constantFrom('a1', 'a2', 'a3', 'a4'),
      micro: fc.oneof(fc.integer({ min: -900, max: 900 }), fc.constantFrom(-50_000, 7, 1)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leave'),
      tenant: anyTenant,
      hoursBack: fc.oneof(fc.integer({ min: -30, max: 200 }), fc.constant(0)),
    }),
  },
);

/** Days pass between steps, so that months end and histories have late usage. */
const timedSteps = fc
  .array(fc.tuple(step, fc.integer({ min: 0, max: 200 })), {
    minLength: 8,
    maxLength: 30,
    size: 'max',
  })
  .map((steps) => {
    let at = START;
    return steps.map(([one, hours]): TimedStep => {
      at += hours * HOUR;
      return { ...one, at };
    });
  });

export function monthBefore(at: number, monthsBack: number): string {
  const date = new Date(at);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - monthsBack))
    .toISOString()
    .slice(0, 7);
}

export const history: fc.Arbitrary<History> = fc
  .record({ charge: version('standard', {}), cost: version('provider', {}), pool, timedSteps })
  .map(({ charge, cost, pool: events, timedSteps: steps }) => ({
    events,
    steps: [
      { kind: 'import', book: charge, at: START },
      { kind: 'import', book: cost, at: START },
      ...steps,
    ],
  }));
