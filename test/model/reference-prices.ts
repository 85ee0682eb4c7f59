import type { Outcome } from '../../src/rating/rate-event.ts';
import type { ModelUnits } from './reference-units.ts';
import { unitOf } from './reference-units.ts';

/**
 * Prices as the rules have them, written a second time in the plainest way: fractions of bigints, linear
 * searches, no maps. Nothing here is shared with the code that it is held against.
 */

export interface ModelRow {
  readonly provider?: string;
  readonly model: string;
  readonly service_tier?: string;
  readonly above_input_tokens?: number;
  readonly per_call?: string;
  readonly per_million: {
    readonly input: string;
    readonly output: string;
    readonly cache_read?: string;
    readonly cache_write?: string;
    /** Prices of other units. */
    readonly [unit: string]: string | undefined;
  };
  readonly per_thousand?: Readonly<Record<string, string>>;
  readonly per_second?: Readonly<Record<string, string>>;
  readonly per_image?: string;
}

export interface ModelBook {
  readonly book: string;
  readonly kind: 'charge' | 'cost';
  readonly currency: 'USD';
  readonly effective_from: string;
  readonly caching?: 'work_done' | 'pass_through';
  readonly base?: string;
  readonly cost_factor?: string;
  readonly models: readonly ModelRow[];
}

export interface ModelTokens {
  readonly uncached: number;
  readonly read: number;
  readonly write: number;
  readonly output: number;
  readonly units: ModelUnits;
}

/** What decides a price. */
export interface ModelCall {
  readonly occurredAt: number;
  readonly status: string;
  readonly provider: string | null;
  readonly requested: string;
  readonly executed: string;
  readonly tier: string;
  readonly gateway: boolean;
  readonly tokens: ModelTokens;
  readonly context: number;
  /** Millionths of the call. */
  readonly share: number;
  /** Whether anything of the call was counted, of which this may be a part of nothing (R10). */
  readonly measured: boolean;
}

export interface ModelPrice {
  readonly outcome: Outcome;
  readonly charge: bigint | null;
  readonly cost: bigint | null;
  /** What the requested model would have cost where another one answered. */
  readonly requestedCost: bigint | null;
}

interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

/** `book` is the tenant's, or null where it has none; an absent tenant is `unattributed`. */
export function priceOf(
  books: readonly ModelBook[],
  call: ModelCall,
  tenant: { readonly attributed: boolean; readonly book: string | null },
): ModelPrice {
  const cost = costOf(books, call, call.executed);
  const isFallback = call.executed !== call.requested;
  const requestedCost = isFallback ? costOf(books, call, call.requested) : null;
  const paid = { cost, requestedCost };
  if (call.status === 'error') return { outcome: 'failed', charge: 0n, ...paid };
  if (call.status === 'cancelled') return { outcome: 'cancelled', charge: 0n, ...paid };
  if (!tenant.attributed) return { outcome: 'unattributed', charge: 0n, ...paid };
  const found = tenant.book === null ? null : chargeRow(books, tenant.book, call);
  const without = call.measured ? 'unrated' : 'unmeasured';
  if (found === null) return { outcome: without, charge: null, ...paid };
  const { row, factor } = found;
  const passThrough = found.caching === 'pass_through';
  if (passThrough && call.gateway) return { outcome: 'charged', charge: 0n, ...paid };
  if (!isDecided(call, row, factor)) return { outcome: without, charge: null, ...paid };
  const charge = amount(call, row, { passThrough, factor });
  return { outcome: charge === null ? without : 'charged', charge, ...paid };
}

/** Nothing that was counted is no price, unless the call alone has one (R10). */
function isDecided(call: ModelCall, row: ModelRow, factor: string | null): boolean {
  const { per_million, per_thousand, per_second, per_image = '0' } = row;
  const prices = [per_million, per_thousand, per_second].flatMap((group) =>
    Object.values(group ?? {}).flatMap((price) => price ?? []),
  );
  prices.push(per_image);
  return call.measured || prices.every((price) => times(picoPerToken(price), factor, 1n) === 0n);
}

function costOf(books: readonly ModelBook[], call: ModelCall, model: string): bigint | null {
  if (call.gateway) return 0n;
  const { output, units } = call.tokens;
  const isNothing = call.context === 0 && output === 0 && Object.keys(units).length === 0;
  if (call.status !== 'ok' && isNothing) return 0n;
  const row = costRow(books, { ...call, requested: model });
  if (row === null || !isDecided(call, row, null)) return null;
  return amount(call, row, { passThrough: true, factor: null });
}

/** The cost books in the order of their names; in each the tier's row, else the standard one. */
function costRow(books: readonly ModelBook[], call: ModelCall): ModelRow | null {
  const names = [...new Set(books.filter((book) => book.kind === 'cost').map(({ book }) => book))];
  for (const name of names.sort()) {
    for (const tier of [call.tier, 'standard']) {
      const row = rowOf(versionOf(books, name, call.occurredAt), { ...call, tier });
      if (row !== null) return row;
    }
  }
  return null;
}

interface ChargeRow {
  readonly row: ModelRow;
  readonly caching: string;
  /** Not null where the row is a cost times this. */
  readonly factor: string | null;
}

/** The tier in the book, then in its base; then the standard tier likewise; then cost times factor. */
function chargeRow(books: readonly ModelBook[], name: string, call: ModelCall): ChargeRow | null {
  const layers: ModelBook[] = [];
  for (let next: string | undefined = name; next !== undefined; ) {
    const version = versionOf(books, next, call.occurredAt);
    if (version !== null) layers.push(version);
    next = version?.base;
  }
  for (const tier of [call.tier, 'standard']) {
    for (const layer of layers) {
      const row = rowOf(layer, { ...call, tier });
      if (row !== null) return { row, caching: layer.caching ?? 'work_done', factor: null };
    }
  }
  const plus = layers.find((layer) => layer.cost_factor !== undefined);
  const row = plus === undefined ? null : costRow(books, call);
  if (plus === undefined || row === null) return null;
  return { row, caching: plus.caching ?? 'work_done', factor: plus.cost_factor ?? null };
}

function versionOf(books: readonly ModelBook[], name: string, at: number): ModelBook | null {
  const begun = books.filter((book) => book.book === name && Date.parse(book.effective_from) <= at);
  return (
    begun.sort((a, b) => Date.parse(a.effective_from) - Date.parse(b.effective_from)).at(-1) ?? null
  );
}

/** Rows of the provider, else rows of nobody; of those the one with the highest context below the call's. */
function rowOf(version: ModelBook | null, call: ModelCall): ModelRow | null {
  const rows = (version?.models ?? []).filter(
    (row) => row.model === call.requested && (row.service_tier ?? 'standard') === call.tier,
  );
  const own = rows.filter((row) => row.provider === (call.provider ?? undefined));
  const chosen = own.length > 0 ? own : rows.filter((row) => row.provider === undefined);
  const holding = chosen.filter((row) => {
    const above = row.above_input_tokens ?? 0;
    return above === 0 || call.context > above;
  });
  const byContext = (a: ModelRow, b: ModelRow) =>
    (a.above_input_tokens ?? 0) - (b.above_input_tokens ?? 0);
  return holding.sort(byContext).at(-1) ?? null;
}

interface How {
  readonly passThrough: boolean;
  readonly factor: string | null;
}

/** Picodollars; whole by construction, or the model refuses to go on. Null where something has no price. */
function amount(call: ModelCall, row: ModelRow, how: How): bigint | null {
  const { input, output, cache_read = input, cache_write = input } = row.per_million;
  const perToken = (decimal: string) => times(picoPerToken(decimal), how.factor, 1n);
  const read = how.passThrough ? cache_read : input;
  const write = how.passThrough ? cache_write : input;
  const perCall = times(picoOf(row.per_call ?? '0'), how.factor, 1_000_000n);
  let further = 0n;
  for (const [name, count] of Object.entries(call.tokens.units)) {
    const each = perUnit(row, name, how);
    if (each === null) return null;
    further += BigInt(count) * each;
  }
  return (
    further +
    BigInt(call.tokens.uncached) * perToken(input) +
    BigInt(call.tokens.read) * perToken(read) +
    BigInt(call.tokens.write) * perToken(write) +
    BigInt(call.tokens.output) * perToken(output) +
    whole({ over: perCall * BigInt(call.share), under: 1_000_000n })
  );
}

/** The price of one of a unit: what it is charged as, its own, or that of what it costs else. */
function perUnit(row: ModelRow, name: string, how: How): bigint | null {
  if (name === 'input') return times(picoPerToken(row.per_million.input), how.factor, 1n);
  const unit = unitOf(name);
  if (!how.passThrough && unit.work !== null) return perUnit(row, unit.work, how);
  const price = priceAt(row, unit.price);
  if (price === undefined) return unit.else === null ? null : perUnit(row, unit.else, how);
  return times(whole({ over: picoOf(price), under: unit.each }), how.factor, 1n);
}

function priceAt(row: ModelRow, [group = '', name]: readonly string[]): string | undefined {
  const groups: Readonly<Record<string, unknown>> = { ...row };
  const found = groups[group];
  if (name === undefined) return typeof found === 'string' ? found : undefined;
  return (found as Readonly<Record<string, string | undefined>> | undefined)?.[name];
}

/** A cost-plus rate is rounded half up once, to whole units. */
function times(rate: bigint, factor: string | null, unit: bigint): bigint {
  if (factor === null) return rate;
  const { over, under } = fractionOf(factor);
  const doubled = (2n * rate * over) / unit + under;
  return (doubled / (2n * under)) * unit;
}

/** 0.15 of a million tokens is 0.15 × 10¹² / 10⁶ = 150,000 p a token. */
function picoPerToken(decimal: string): bigint {
  return whole({ over: picoOf(decimal), under: 1_000_000n });
}

function picoOf(decimal: string): bigint {
  const { over, under } = fractionOf(decimal);
  return whole({ over: over * 10n ** 12n, under });
}

function fractionOf(decimal: string): Fraction {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return { over: BigInt(whole + fraction), under: 10n ** BigInt(fraction.length) };
}

function whole({ over, under }: Fraction): bigint {
  if (over % under !== 0n) throw new Error(`${over}/${under} is not whole`);
  return over / under;
}

/** Shares out a count one unit at a time, each to whoever is furthest below its exact share. */
export function share(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const exact = sum === 0 ? weights.map(() => 1) : weights;
  const all = BigInt(sum === 0 ? weights.length : sum);
  const floors = exact.map((weight) => (BigInt(total) * BigInt(weight)) / all);
  const missing = exact.map(
    (weight, index) => BigInt(total) * BigInt(weight) - (floors[index] ?? 0n) * all,
  );
  let left = BigInt(total) - floors.reduce((a, b) => a + b, 0n);
  while (left > 0n) {
    const most = missing.reduce((a, b) => (b > a ? b : a), -1n);
    const index = missing.indexOf(most);
    floors[index] = (floors[index] ?? 0n) + 1n;
    missing[index] = -1n;
    left -= 1n;
  }
  return floors.map(Number);
}
