/**
 * Checks a proof with nothing but the proof. The functions of this file import nothing, and their text
 * is put into the page that a customer opens, so that the page and the command line cannot differ.
 */

/** What a proof file holds. */
export interface Proof {
  readonly format: 'spanledger-proof-1';
  /** The hash as the customer's statement shows it. */
  readonly manifest_hash: string;
  /** The closed period, byte for byte: its hash is the one above. */
  readonly manifest: string;
  /** The lines that are proven, counted from 1. */
  readonly lines: readonly number[];
  /** What the texts of the entries hold, by tabs. */
  readonly columns: readonly string[];
  /** The line into which each meter of entries with one price counts. */
  readonly prices: readonly ProofPrice[];
  /** The entries stand in the order of their positions in the tree. */
  readonly entries: readonly ProofEntry[];
  /** Roots of the subtrees without such entries, from left to right: the inclusion paths of all, each hash once. */
  readonly hashes: readonly string[];
}

export interface ProofPrice {
  readonly key: string;
  readonly lines: Readonly<Record<string, number>>;
}

export interface ProofEntry {
  readonly position: number;
  readonly shown: string;
  /** The hash of what the proof hides. */
  readonly hidden: string;
}

/** One thing that was checked. The first that does not hold ends the check. */
export interface ProofStep {
  readonly step: string;
  readonly holds: boolean;
  readonly detail: string;
}

type Sha256 = (bytes: Uint8Array) => Uint8Array;
type Columns = Readonly<Record<string, string>>;
interface FrozenLine {
  readonly model: string;
  readonly service_tier: string;
  readonly meter: string;
  readonly late: boolean;
  readonly quantity: string;
  readonly rate: string;
  readonly exact: string;
  readonly amount: string;
}
interface Frozen {
  readonly format: string;
  readonly tenant_id: string;
  readonly period_start: string;
  readonly entries: number;
  readonly entries_root: string;
  readonly lines: readonly FrozenLine[];
  readonly charge_exact: string;
  readonly carried_in: string;
  readonly billable: string;
  readonly carried_out: string;
  readonly charge_total: string;
}

/** Checks a proof, and never throws: what is no proof fails in its first step. */
export function checkProof(proof: Proof, sha256: Sha256): readonly ProofStep[] {
  const steps: ProofStep[] = [];
  let step = 'form';
  const pass = (detail: string, next: string) => {
    steps.push({ step, holds: true, detail });
    step = next;
  };
  try {
    if (proof.format !== 'spanledger-proof-1') throw new Error('this is no spanledger-proof-1');
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
    if (length === frozen.entries) pass(requireTotal(tally.charge, frozen), 'end');
  } catch (error) {
    steps.push({
      step,
      holds: false,
      detail: error instanceof Error ? error.message : String(error),
    });
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

/** What entries come to, by what decides their price: a period may have a million of them, and few prices. */
interface Tally {
  readonly groups: ReadonlyMap<string, PricedGroup>;
  /** The charge of all entries. */
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

function tallyEntries(proof: Proof, frozen: Frozen): Tally {
  const names = shownColumns();
  const meters = 'input cache_read cache_write output calls'
    .split(' ')
    .concat(Object.keys(proofUnits()));
  const groups = new Map<string, PricedGroup>();
  let total = 0n;
  let unpriced: string | null = null;
  for (const { shown } of proof.entries) {
    const entry = readColumns(shown, names);
    requireOwn(entry, frozen);
    const charge = decimal(entry['charge'] ?? '', 0);
    if (entry['not_due'] === 't') continue;
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

/** What was not charged or is not due, and a gateway hit that is passed on free, has no price and stands in no line. */
export function isPriced(entry: Columns): boolean {
  const { kind = '', outcome, gateway_cache: gateway, charge, not_due: notDue } = entry;
  if (notDue === 't' || isWithoutCall(kind)) return notDue !== 't';
  return outcome === 'charged' && (gateway === 'none' || charge !== '0');
}

/** What the entries put into each line: its quantity, and that times the rate; picodollars. */
function sumLines(proof: Proof, tally: Tally, frozen: Frozen) {
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

function requireLine(
  line: FrozenLine | undefined,
  sum: { quantity: bigint; exact: bigint } | undefined,
): string {
  if (line === undefined) throw new Error('the closed period has no such line');
  const isCarry = line.meter === 'carried_in' || line.meter === 'carried_out';
  if (isCarry) throw new Error('it carries a remainder, and no entries stand behind it');
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

/** With every entry there, nothing is left out and nothing is counted twice. */
function requireTotal(charge: bigint, frozen: Frozen): string {
  const pico = (text: string) => decimal(text, 12);
  if (charge !== pico(frozen.charge_exact)) {
    throw new Error(`all entries sum to ${charge} p, the statement says ${frozen.charge_exact}`);
  }
  const { carried_in, billable, carried_out, charge_total } = frozen;
  if (charge + pico(carried_in) !== pico(billable) + pico(carried_out)) {
    throw new Error('what is billed and carried is not what was charged');
  }
  const amounts = frozen.lines.reduce((sum, line) => sum + pico(line.amount), 0n);
  if (amounts !== pico(charge_total)) throw new Error('the lines do not add up to the total');
  const all = frozen.entries === 1 ? 'the entry sums' : `all ${frozen.entries} entries sum`;
  return `${all} to ${frozen.charge_exact}, billed as ${charge_total}`;
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
  requireLine,
  quantityScale,
  ratedBy,
  requireTotal,
  decimal,
  toHex,
  fromHex,
];
