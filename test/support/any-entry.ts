import fc from 'fast-check';
import type { NewEntry } from '../../src/ledger/entries/entry.ts';
import type { FurtherUnits } from '../../src/units.ts';
import { FURTHER_UNITS } from '../../src/units.ts';

/** Every text that a column may hold: control characters, COPY's own signs, any plane of Unicode. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom(
        ...['\\', '\t', '\n', '\r', '\b', '\f', '\v', '\u0001', '\u007f'],
        ...['N', 't', 'b', '"', '€', '🙂'],
      ),
    }),
  )
  .map((text) => text.replaceAll('\u0000', '').toWellFormed());
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const amount = maybe(fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }));
const tokens = fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 });
const layer = fc.nat();
const instant = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2199, 11, 31) });
const rate = maybe(
  fc.record({
    book: anyText,
    version: fc.oneof(instant, fc.constant(Number.NEGATIVE_INFINITY)),
    rateId: fc.bigInt({ min: 1n, max: 2n ** 62n }),
  }),
);

/** Some of the units, at least one. */
const units: fc.Arbitrary<FurtherUnits> = fc
  .record(Object.fromEntries(FURTHER_UNITS.map(({ name }) => [name, fc.integer()])), {
    requiredKeys: [],
  })
  .filter((counts) => Object.keys(counts).length > 0);

/** Entries as no posting would make them, but as the table takes them: corrections may hold anything. */
export const anyEntry: fc.Arbitrary<Omit<NewEntry, 'eventId'>> = fc.record({
  tenantId: fc.constant('acme'),
  source: anyText,
  memberId: anyText,
  revision: fc.nat(),
  kind: fc.constant('correction'),
  outcome: fc.constant('charged'),
  status: fc.constantFrom('ok', 'error', 'cancelled'),
  errorType: maybe(anyText),
  occurredAt: instant,
  startedAt: maybe(instant),
  periodStart: fc.constant('2026-10-01'),
  late: fc.constant(true),
  due: fc.boolean(),
  operation: anyText,
  provider: maybe(anyText),
  requestedModel: anyText,
  executedModel: anyText,
  responseId: maybe(anyText),
  sharesResponse: fc.boolean(),
  serviceTier: fc.constantFrom('standard', 'batch'),
  gatewayCache: fc.constantFrom('exact', 'semantic'),
  uncachedInputTokens: tokens,
  cacheReadTokens: tokens,
  cacheWriteTokens: tokens,
  outputTokens: tokens,
  reasoningTokens: tokens,
  units: maybe(units),
  contextTokens: fc.nat(),
  callShare: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  callUsage: maybe(
    fc.record({
      ...{ uncachedInput: fc.nat(), cacheRead: fc.nat(), cacheWrite: fc.nat(), output: fc.nat() },
      reasoning: fc.nat(),
      units: maybe(units),
    }),
  ),
  usageSource: fc.constantFrom('reported', 'estimated', 'assumed'),
  layers: maybe(fc.record({ prompt: layer, tool: layer, memory: layer, response: layer })),
  charge: amount.map((value) => value ?? 0n),
  cost: amount,
  requestedCost: amount,
  reportedCost: maybe(
    fc.record({
      amount: fc.bigInt({ min: 0n, max: 10n ** 30n }),
      currency: anyText,
      source: anyText,
    }),
  ),
  currency: fc.constantFrom('USD', 'JPY'),
  chargeRate: rate,
  costRate: rate,
  userId: maybe(anyText),
  feature: maybe(anyText),
  agentRunId: maybe(anyText),
  promptVersion: maybe(anyText),
  furtherTags: fc.dictionary(anyText, anyText, { maxKeys: 5 }),
  traceId: maybe(anyText),
  spanId: maybe(anyText),
  parentSpanId: maybe(anyText),
  attempt: fc.integer({ min: 1, max: 100 }),
  callId: maybe(anyText),
  correctsEntryId: fc.bigInt({ min: 1n, max: 2n ** 62n }),
  isReversal: fc.boolean(),
  reason: anyText,
  actor: anyText,
  eventDigest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
});
