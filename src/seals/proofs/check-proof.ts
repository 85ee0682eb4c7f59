// Checks a proof with nothing but the proof. The functions of this file use nothing from outside it, and their text
// is put into the page that a customer opens, so that the page and the command line cannot differ.

import type { Frozen, FrozenLine, Proof, ProofStep } from './proof.ts';

type Sha256 = (bytes: Uint8Array) => Uint8Array;
type Columns = Readonly<Record<string, string>>;

/** Checks a proof, and never throws: what is no proof fails in its first step. */
export function checkProof(proof: Proof, sha256: Sha256): readonly ProofStep[] {
  const steps: ProofStep[] = [];
  let step = 'form';
  const pass = (detail: string, next: string) => {
    steps.push({ step, holds: true, detail });
    step = next;
  };
  try {
    if (proof.format !== 'spanledger-proof-1') throw new Error('this is not a spanledger-proof-1');
    const names = shownColumns();
    if (proof.columns.join() !== names.join())
      throw new Error('its columns are not the known ones');
    pass('a proof of a closed period', 'manifest');
    const frozen: Frozen = JSON.parse(proof.manifest);
    const found = toHex(sha256(new TextEncoder().encode(proof.manifest)));
    if (found !== proof.manifest_hash)
      throw new Error(`its hash is ${found}, not ${proof.manifest_hash}`);
    if (frozen.entries_root === undefined) throw new Error('it was closed before there were seals');
    pass(`the hash of the closed period is ${found}; compare it with your statement`, 'entries');
    const tally = tallyEntries(proof, frozen);
    const { length } = proof.entries;
    const { tenant_id: tenant, period_start: start } = frozen;
    pass(`belong to ${tenant}, ${start} (${length} in this proof)`, 'root');
    const root = toHex(rootOf(proof, frozen.entries, sha256));
    if (root !== frozen.entries_root)
      throw new Error(`they give the root ${root}, not ${frozen.entries_root}`);
    pass(`they are sealed with all of the period (${frozen.entries}), root ${root}`, 'prices');
    const sums = sumLines(proof, tally, frozen);
    pass('each price times its tokens is what its entries were charged', 'lines');
    if (proof.lines.length === 0 && length !== frozen.entries)
      throw new Error('it proves no line, and only some of the entries are there');
    for (const number of proof.lines) {
      step = `line ${number}`;
      pass(requireLine(frozen.lines[number - 1], sums.get(number)), 'statement');
    }
    step = 'statement';
    const billed = requireBilled(frozen);
    pass(length === frozen.entries ? requireWhole(sums, tally.charge, frozen) : billed, 'end');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    steps.push({ step, holds: false, detail });
  }
  return steps;
}

/** Returns the columns that are hashed openly, in their order. */
export function shownColumns(): readonly string[] {
  return (
    'tenant_id source event_id member_id revision entry_id kind outcome status occurred_at started_at recorded_at ' +
    'period_start late operation requested_model service_tier gateway_cache uncached_input_tokens cache_read_tokens ' +
    'cache_write_tokens output_tokens reasoning_tokens call_share usage_source layer_prompt_tokens layer_tool_tokens ' +
    'layer_memory_tokens layer_response_tokens charge currency charge_book charge_version charge_rate_id user_id ' +
    'feature agent_run_id prompt_version trace_id span_id parent_span_id attempt corrects_entry_id is_reversal'
  ).split(' ');
}

/** Returns how lines name the units beside text: the unit, and how many of it a rate is for. */
export function proofUnits(): Readonly<Record<string, readonly [unit: string, per: number]>> {
  const tokens = (
    'cache_write_1h input_audio input_image input_video cache_read_audio cache_read_image output_audio output_image ' +
    'output_video'
  ).split(' ');
  return {
    ...Object.fromEntries(tokens.map((meter) => [meter, [`${meter}_tokens`, 1e6] as const])),
    images: ['images', 1],
    audio_seconds: ['audio_ms', 1e3],
    video_seconds: ['video_ms', 1e3],
    characters: ['characters', 1e6],
    pages: ['pages', 1e3],
    searches: ['searches', 1e3],
    search_units: ['search_units', 1e3],
  };
}

/** Reads an entry's columns by name, the units after them, and last that it is not due; absent is ''. */
export function readColumns(shown: string, known: readonly string[]): Columns {
  const values = shown.split('\t');
  const names = [...known, ...['units', 'not_due'].slice(0, values.length - known.length)];
  if (values.length !== names.length) throw new Error(`"${shown}" is not an entry`);
  const signs: Columns = { t: '\t', n: '\n', r: '\r', '\\': '\\' };
  return Object.fromEntries(
    names.map((name, index) => {
      const value = values[index] ?? '';
      const plain = value.replace(/\\(.)/g, (_, sign: string) => signs[sign] ?? '');
      return [name, value === '\\N' ? '' : plain];
    }),
  );
}

/** Sums of entries, grouped by what decides their price since a period may have a million; and the charge of all. */
interface Tally {
  readonly groups: ReadonlyMap<string, PricedGroup>;
  readonly charge: bigint;
  /** The first entry that has a charge and no price. */
  readonly unpriced: string | null;
}

interface PricedGroup {
  /** One of them: in what the key holds they are alike. */
  readonly sample: Columns;
  readonly quantities: Record<string, bigint>;
  charge: bigint;
}

/** Charges in another currency than the bill's were taken back in it, when they were priced again. */
function tallyEntries(proof: Proof, frozen: Frozen): Tally {
  const names = shownColumns();
  const meters = 'input cache_read cache_write output calls'
    .split(' ')
    .concat(Object.keys(proofUnits()));
  const groups = new Map<string, PricedGroup>();
  const foreign = new Map<string, bigint>();
  let total = 0n;
  let unpriced: string | null = null;
  for (const { shown } of proof.entries) {
    const entry = readColumns(shown, names);
    requireOwn(entry, frozen);
    const charge = decimal(entry['charge'] ?? '', 0);
    if (entry['not_due'] === 't') continue;
    const of = `${entry['currency']} of ${entry['requested_model']}`;
    if (entry['currency'] !== frozen.currency) foreign.set(of, (foreign.get(of) ?? 0n) + charge);
    total += charge;
    if (!isPriced(entry)) {
      if (charge !== 0n) unpriced ??= `ent_${entry['entry_id']}`;
      continue;
    }
    const key = priceKey(entry);
    const group = groups.get(key) ?? { sample: entry, quantities: {}, charge: 0n };
    groups.set(key, group);
    group.charge += charge;
    for (const meter of meters) {
      group.quantities[meter] = (group.quantities[meter] ?? 0n) + quantityOf(entry, meter);
    }
  }
  for (const [of, sum] of foreign)
    if (sum !== 0n) throw new Error(`${sum} p in ${of} stand in a bill in ${frozen.currency}`);
  return { groups, charge: total, unpriced };
}

function requireOwn(entry: Columns, frozen: Frozen): void {
  if (entry['tenant_id'] === frozen.tenant_id && entry['period_start'] === frozen.period_start)
    return;
  throw new Error(`ent_${entry['entry_id']} is of another tenant or period`);
}

/** The root of the tree, from the entries that are there and the hashes of all that is not (RFC 6962). */
function rootOf(proof: Proof, size: number, sha256: Sha256): Uint8Array {
  const { entries, hashes } = proof;
  let nextEntry = 0;
  let nextHash = 0;
  const subtree = (first: number, end: number): Uint8Array => {
    const entry = entries[nextEntry];
    if (entry === undefined || entry.position >= end) return fromHex(hashes[nextHash++] ?? '');
    if (entry.position < first) throw new Error(`position ${entry.position} comes twice or late`);
    if (end - first === 1) {
      nextEntry += 1;
      return sha256(new TextEncoder().encode(`\u0000${entry.shown}\t${entry.hidden}`));
    }
    let left = 1;
    while (left * 2 < end - first) left *= 2;
    const node = new Uint8Array(65);
    node[0] = 1;
    node.set(subtree(first, first + left), 1);
    node.set(subtree(first + left, end), 33);
    return sha256(node);
  };
  const root = size === 0 ? sha256(new Uint8Array(0)) : subtree(0, size);
  if (nextEntry !== entries.length) throw new Error('there are more entries than the tree has');
  if (nextHash !== hashes.length) throw new Error('there are more hashes than the tree needs');
  return root;
}

/** Returns everything that decides the price of an entry. */
export function priceKey(entry: Columns): string {
  const { kind = '', requested_model, service_tier, late } = entry;
  const { charge_book, charge_version, charge_rate_id } = entry;
  return JSON.stringify(
    isWithoutCall(kind)
      ? [requested_model, service_tier, late, kind]
      : [requested_model, service_tier, late, charge_book, charge_version, charge_rate_id],
  );
}

/** A share of a pool and an adjustment have an amount of their own. */
function isWithoutCall(kind: string): boolean {
  return kind === 'allocation' || kind === 'adjustment';
}

/** Entries that were not charged or are not due, and gateway hits that are passed on free, have no price and are in no line. */
export function isPriced(entry: Columns): boolean {
  const { kind = '', outcome, gateway_cache: gateway, charge, not_due: notDue } = entry;
  if (notDue === 't' || isWithoutCall(kind)) return notDue !== 't';
  return outcome === 'charged' && (gateway === 'none' || charge !== '0');
}

/** The contribution of the entries to each line: its quantity, and that times the rate, in picodollars. */
function sumLines(proof: Proof, tally: Tally, frozen: Frozen): LineSums {
  const prices = new Map(proof.prices.map((price) => [price.key, price.lines]));
  const sums = new Map<number, { quantity: bigint; exact: bigint }>();
  for (const [key, { sample, quantities, charge }] of tally.groups) {
    let charged = 0n;
    const { late, requested_model: model, service_tier: tier } = sample;
    for (const [meter, number] of Object.entries(prices.get(key) ?? {})) {
      const line = frozen.lines[number - 1];
      const fits = line?.meter === meter && line.model === model && line.service_tier === tier;
      if (line === undefined || !fits || line.late !== (late === 't')) {
        throw new Error(`line ${number} is no line for ${meter} of ${key}`);
      }
      const quantity = quantities[meter] ?? 0n;
      const exact = isWithoutCall(meter) ? charge : quantity * rateOf(line);
      const sum = sums.get(number) ?? { quantity: 0n, exact: 0n };
      sums.set(number, { quantity: sum.quantity + quantity, exact: sum.exact + exact });
      charged += exact;
    }
    if (charged !== charge)
      throw new Error(`${key} were charged ${charge} p, and their lines give ${charged} p`);
  }
  if (tally.unpriced !== null) throw new Error(`${tally.unpriced} has a charge and no price`);
  return sums;
}

/** The quantity is of the unit: tokens, or milliseconds; for calls, millionths of a call. */
function quantityOf(entry: Columns, meter: string): bigint {
  const columns: Columns = {
    input: 'uncached_input_tokens',
    cache_read: 'cache_read_tokens',
    cache_write: 'cache_write_tokens',
    output: 'output_tokens',
    calls: 'call_share',
  };
  const unit = proofUnits()[meter];
  if (unit === undefined) return BigInt(entry[columns[meter] ?? ''] ?? '');
  const counts: Readonly<Record<string, number>> = JSON.parse(entry['units'] || '{}');
  return BigInt(counts[unit[0]] ?? 0);
}

/** Picodollars of one of the unit, or for a millionth of a call. */
function rateOf(line: FrozenLine): bigint {
  const rate = decimal(line.rate, 12);
  const per = BigInt(proofUnits()[line.meter]?.[1] ?? 1e6);
  if (rate % per !== 0n) throw new Error(`the rate ${line.rate} is too fine`);
  return rate / per;
}

type LineSums = ReadonlyMap<number, { readonly quantity: bigint; readonly exact: bigint }>;

function isCarry(
  line: FrozenLine,
): line is FrozenLine & { readonly meter: 'carried_in' | 'carried_out' } {
  return line.meter === 'carried_in' || line.meter === 'carried_out';
}

function requireLine(
  line: FrozenLine | undefined,
  sum: { quantity: bigint; exact: bigint } | undefined,
): string {
  if (line === undefined) throw new Error('the closed period has no such line');
  if (isCarry(line)) throw new Error('it carries a remainder, and no entries stand behind it');
  const quantity = decimal(line.quantity, quantityScale(line.meter));
  const { quantity: own, exact } = sum ?? { quantity: 0n, exact: 0n };
  if (own !== quantity)
    throw new Error(`its entries sum to ${own} ${line.meter}, the line says ${quantity}`);
  if (exact !== decimal(line.exact, 12))
    throw new Error(`its entries sum to ${exact} p, the line says ${line.exact}`);
  if (isWithoutCall(line.meter)) return `${line.model}: its shares sum to ${line.exact}`;
  return `${line.model} ${line.meter}: ${line.quantity} at ${line.rate} ${ratedBy(line.meter)} is ${line.exact}, the sum of its entries`;
}

/** The decimals of a quantity: calls are counted in millionths, and time in milliseconds. */
function quantityScale(meter: string): number {
  if (meter === 'calls') return 6;
  return meter.endsWith('_seconds') ? 3 : 0;
}

function ratedBy(meter: string): string {
  if (meter === 'calls') return 'a call';
  if (meter === 'images') return 'an image';
  if (meter.endsWith('_seconds')) return 'a second';
  return proofUnits()[meter]?.[1] === 1e3 ? 'a thousand' : 'a million';
}

/**
 * What the closed period says of itself, whichever entries are there: it bills what its lines sum to, and what was carried
 * in, rounded once; and each line but for that rounding.
 */
function requireBilled(frozen: Frozen): string {
  const pico = (text: string) => decimal(text, 12);
  const least = leastBilled(frozen.currency);
  const sums = { charged: 0n, late: 0n, carried_in: 0n, carried_out: 0n, amounts: 0n };
  for (const [index, line] of frozen.lines.entries()) {
    const [exact, amount] = [pico(line.exact), pico(line.amount)];
    if (amount - exact > least || exact - amount > least)
      throw new Error(`line ${index + 1} comes to ${line.exact} and is billed as ${line.amount}`);
    sums[isCarry(line) ? line.meter : 'charged'] += exact;
    if (line.late) sums.late += exact;
    sums.amounts += amount;
  }
  if (sums.charged !== pico(frozen.charge_exact))
    throw new Error(
      `its lines sum to ${sums.charged} p, the statement says ${frozen.charge_exact}`,
    );
  requireCarried(sums, frozen);
  const total = ((pico(frozen.billable) + least / 2n) / least) * least;
  if (pico(frozen.charge_total) !== total)
    throw new Error(`${frozen.billable} is billed as ${frozen.charge_total}`);
  if (sums.amounts !== total) throw new Error('the lines do not add up to the total');
  return `all its lines sum to ${frozen.charge_exact}, billed as ${frozen.charge_total}`;
}

/** Whole millionths are billed: less than one is carried, or all below zero, and what shadow holds for a bill. A line shows more. */
function requireCarried(lines: Readonly<Record<string, bigint>>, frozen: Frozen): void {
  const [carriedIn, carriedOut] = [decimal(frozen.carried_in, 12), decimal(frozen.carried_out, 12)];
  const leftOver = carriedIn - decimal(frozen.carried_in_due ?? '0', 12);
  const outDue = decimal(frozen.carried_out_due ?? '0', 12);
  const micro = 1_000_000n;
  if (outDue !== 0n && outDue !== lines['late']) throw new Error('what came late is not held');
  if (leftOver >= micro) throw new Error(`${frozen.carried_in} is more than is carried in`);
  const due = decimal(frozen.charge_exact, 12) + carriedIn - outDue;
  const left = due > 0n ? due % micro : due;
  if (carriedOut !== left + outDue || decimal(frozen.billable, 12) !== due - left)
    throw new Error('what is billed and carried is not what was charged');
  const shown = (carried: bigint) => (carried <= -micro || carried >= micro ? carried : 0n);
  if (lines['carried_in'] !== shown(carriedIn) || lines['carried_out'] !== -shown(carriedOut))
    throw new Error('the lines that carry a remainder are not what is carried');
}

/** Picodollars in the least amount that is billed: a hundredth, or one where a currency has no smaller coin. */
export function leastBilled(currency: string): bigint {
  const whole = 'BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
  return whole.includes(currency) ? 1_000_000_000_000n : 10_000_000_000n;
}

/** With every entry there, nothing is left out and nothing is counted twice, and there is no line without its entries. */
function requireWhole(sums: LineSums, charge: bigint, frozen: Frozen): string {
  if (charge !== decimal(frozen.charge_exact, 12)) {
    throw new Error(`all entries sum to ${charge} p, the statement says ${frozen.charge_exact}`);
  }
  for (const [index, line] of frozen.lines.entries()) {
    if (!isCarry(line)) requireLine(line, sums.get(index + 1));
  }
  const all = frozen.entries === 1 ? 'the entry sums' : `all ${frozen.entries} entries sum`;
  return `${all} to ${frozen.charge_exact}, billed as ${frozen.charge_total}`;
}

/** A plain decimal as a whole number of 10^-scale units. */
function decimal(text: string, scale: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[3] ?? '';
  if (match === null || fraction.length > scale) throw new Error(`"${text}" is not an amount`);
  const units = BigInt(`${match[2]}${fraction.padEnd(scale, '0')}`);
  return match[1] === '-' ? -units : units;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function fromHex(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error(`"${text}" is not a hash`);
  return Uint8Array.from({ length: 32 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  );
}

/** All functions that the check needs, for whoever puts their text into a page. */
export const PROOF_CHECKER: readonly ((...given: never[]) => unknown)[] = [
  checkProof,
  shownColumns,
  proofUnits,
  readColumns,
  tallyEntries,
  requireOwn,
  rootOf,
  priceKey,
  isWithoutCall,
  isPriced,
  sumLines,
  quantityOf,
  rateOf,
  isCarry,
  requireLine,
  quantityScale,
  ratedBy,
  requireBilled,
  requireCarried,
  leastBilled,
  requireWhole,
  decimal,
  toHex,
  fromHex,
];
