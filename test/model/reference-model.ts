import type { Outcome } from '../../src/rating/rate-event.ts';
import type { ModelPeriod, ModelRule } from './reference-calendar.ts';
import { periodAt, periodsOf } from './reference-calendar.ts';
import type { ModelBook, ModelCall, ModelTokens } from './reference-prices.ts';
import { priceOf, share } from './reference-prices.ts';
import { compareReports, isFirst, isMeasured, keptOf, partKey } from './reference-reports.ts';

/**
 * The ledger as src/RULES.md has it, small and obvious: lists in memory, one step after another. It
 * knows no database and shares no code with what it predicts.
 */

/** A native event, as far as histories make use of it. */
export interface ModelEvent {
  readonly event_id: string;
  readonly source: string;
  readonly occurred_at: string;
  readonly status: 'ok' | 'error' | 'cancelled';
  readonly operation: string;
  readonly provider?: string;
  readonly requested_model: string;
  readonly executed_model?: string;
  readonly response_id?: string;
  readonly service_tier: string;
  readonly gateway_cache: string;
  readonly attempt: number;
  readonly usage: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cache_read_tokens: number;
    readonly cache_write_tokens: number;
  };
  readonly tenant_id?: string;
  readonly feature?: string;
  readonly trace_id?: string;
  readonly parent_span_id?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly members?: readonly ModelMember[];
}

interface ModelMember {
  readonly member_id: string;
  readonly tenant_id?: string;
  readonly status?: 'ok' | 'error' | 'cancelled';
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly weight?: number;
}

export interface ModelEntry extends ModelCall {
  readonly tenant: string;
  readonly source: string;
  readonly event: string;
  readonly member: string;
  readonly revision: number;
  readonly kind: 'usage' | 'correction';
  readonly isReversal: boolean;
  /** Key of the entry that this one corrects. */
  readonly corrects: string | null;
  readonly outcome: Outcome;
  readonly charge: bigint | null;
  readonly cost: bigint | null;
  readonly requestedCost: bigint | null;
  /** A person changed the model requested, here or in an entry that this one corrects. */
  readonly isSaid: boolean;
  readonly period: string;
  readonly late: boolean;
  readonly feature: string | null;
  readonly trace: string | null;
  readonly parent: string | null;
  readonly attempt: number;
  readonly isWeak: boolean;
  /** The provider's response, where a second report of it would be a duplicate (R8). */
  readonly response: string | null;
  /** The counts of the whole call, also where it is split. */
  readonly whole: ModelTokens;
}

export interface TenantSettings {
  readonly zone?: string;
  readonly anchor?: number;
  readonly book?: string;
  readonly bookFrom?: number;
}

export interface ModelChange {
  readonly tenant?: string;
  readonly feature?: string;
  readonly status?: 'ok' | 'error' | 'cancelled';
  readonly requested?: string;
  readonly output?: number;
  readonly uncached?: number;
}

export interface ModelClose {
  readonly tenant: string;
  readonly period: string;
  readonly exact: bigint;
  readonly carriedIn: bigint;
  readonly billableMicro: bigint;
  readonly carriedOut: bigint;
  readonly total: bigint;
}

interface ModelTenant {
  readonly createdAt: number;
  rules: readonly ModelRule[];
  /** Ascending by date, one a date. */
  books: readonly { readonly from: number; readonly book: string }[];
  readonly periods: Map<string, { readonly period: ModelPeriod; isClosed: boolean }>;
}

const HOUR = 3_600_000;
const NOBODY = 'unattributed';
const MODEL_CALLS = ['chat', 'text_completion', 'generate_content', 'embeddings'];

export const keyOf = (
  entry: Pick<ModelEntry, 'tenant' | 'source' | 'event' | 'member' | 'revision'>,
) => [entry.tenant, entry.source, entry.event, entry.member, entry.revision].join('|');

export class ReferenceModel {
  readonly entries: ModelEntry[] = [];
  readonly closes: ModelClose[] = [];
  readonly #books: ModelBook[] = [];
  readonly #tenants = new Map<string, ModelTenant>();
  /** Content by identity. */
  readonly #events = new Map<string, string>();

  constructor() {
    this.#tenant(NOBODY, Date.parse('2026-01-01T00:00:00Z'));
  }

  importBook(book: ModelBook): 'imported' | 'unchanged' | 'refused' {
    const same = this.#books.find(
      (other) => other.book === book.book && other.effective_from === book.effective_from,
    );
    if (same !== undefined)
      return JSON.stringify(same) === JSON.stringify(book) ? 'unchanged' : 'refused';
    if (book.base !== undefined && !this.#books.some((other) => other.book === book.base))
      return 'refused';
    this.#books.push(book);
    return 'imported';
  }

  setTenant(id: string, settings: TenantSettings, at: number): 'set' | 'refused' {
    const { book, bookFrom } = settings;
    const isCharge = this.#books.some((other) => other.book === book && other.kind === 'charge');
    if (book !== undefined && !isCharge) return 'refused';
    const tenant = this.#tenant(id, at);
    this.#setCalendar(tenant, settings, at);
    if (book === undefined) return 'set';
    if (bookFrom === undefined && tenant.books.at(-1)?.book === book) return 'set';
    const from = bookFrom ?? (tenant.books.length === 0 ? Number.NEGATIVE_INFINITY : at);
    const others = tenant.books.filter((other) => other.from !== from);
    tenant.books = [...others, { from, book }].sort((a, b) => a.from - b.from);
    return 'set';
  }

  /** A change waits for the end of the tenant's last period; one that has not come yet is replaced. */
  #setCalendar(tenant: ModelTenant, settings: TenantSettings, at: number): void {
    const current = tenant.rules.at(-1) ?? { zone: 'UTC', anchor: 1 };
    const { zone = current.zone, anchor = current.anchor } = settings;
    if (zone === current.zone && anchor === current.anchor) return;
    const starts = [...tenant.periods.values()].map(({ period }) => period.startsAt);
    if (starts.length === 0) {
      tenant.rules = [{ from: null, zone, anchor }];
      return;
    }
    const asOf = Math.max(at, ...starts);
    const inEffect = tenant.rules.filter(({ from }) => from === null || from <= asOf);
    const last = inEffect.at(-1);
    const isBack = last?.zone === zone && last.anchor === anchor;
    const from = periodAt(inEffect, asOf).endsAt;
    tenant.rules = isBack ? inEffect : [...inEffect, { from, zone, anchor }];
  }

  /** One batch; what became of each event, in order. */
  deliver(events: readonly ModelEvent[], at: number): readonly string[] {
    const readable = events.filter((event) => Date.parse(event.occurred_at) <= at + 24 * HOUR);
    for (const event of readable) for (const id of tenantsOf(event)) this.#tenant(id, at);
    const fresh: ModelEvent[] = [];
    const known = this.entries.filter(isFirst);
    const outcomes = events.map((event) => {
      if (!readable.includes(event)) return 'quarantined';
      const content = JSON.stringify(event);
      const keys = tenantsOf(event).map((id) => [id, event.source, event.event_id].join('|'));
      const held = keys.map((key) => this.#events.get(key)).find((other) => other !== undefined);
      if (held !== undefined) return held === content ? 'duplicate' : 'conflict';
      const parts = partsOf(event);
      const pairs = parts.flatMap((part) => known.map((other) => [other, part] as const));
      if (pairs.some(([a, b]) => compareReports(a, b) === 'same' && keptOf(a, b) === a))
        return 'duplicate';
      if (pairs.some(([a, b]) => compareReports(a, b) === 'conflict')) return 'conflict';
      for (const key of keys) this.#events.set(key, content);
      known.push(...parts);
      fresh.push(event);
      return 'posted';
    });
    const calls = fresh.filter((event) => MODEL_CALLS.includes(event.operation));
    const facts = calls.flatMap(partsOf);
    const attempts = [...this.entries.filter((entry) => this.#stands(entry)), ...facts];
    for (const part of facts) {
      const requested = firstOf(part, attempts)?.requested ?? part.requested;
      this.#post({ ...part, requested });
    }
    return outcomes;
  }

  /** What a fold puts right beside the hot path (R8). */
  join(): void {
    this.#joinReports();
    this.#joinAttempts();
  }

  /** Of two reports of one call the one that is not kept is taken back. */
  #joinReports(): void {
    const reports = this.entries.filter(isFirst);
    const lost = new Set<string>();
    for (const [place, later] of reports.entries()) {
      for (const earlier of reports.slice(0, place)) {
        if (compareReports(earlier, later) !== 'same') continue;
        lost.add(partKey(keptOf(earlier, later) === earlier ? later : earlier));
      }
    }
    for (const entry of this.entries.filter((one) => lost.has(partKey(one)))) {
      if (this.#stands(entry)) this.#correct(entry, null);
    }
  }

  /** Answers whose call first requested another model, in an attempt that came later (R8). */
  #joinAttempts(): void {
    for (const answer of this.entries.filter((entry) => this.#stands(entry) && !entry.isSaid)) {
      const standing = this.entries.filter((entry) => this.#stands(entry));
      const requested = firstOf(answer, standing)?.requested ?? answer.requested;
      if (requested !== answer.requested) this.#correct(answer, { requested }, 'joiner');
    }
  }

  close(month: string, only: string | null, at: number): 'refused' | readonly string[] {
    if (only !== null && !this.#tenants.has(only)) return 'refused';
    const tenants = [...this.#tenants].filter(([id]) => only === null || id === only);
    const rows = tenants
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([id, tenant]) => {
        const running = addIdle(tenant, month, at);
        const all = [...tenant.periods.values(), ...running];
        const periods = all.map((held) => ({ id, tenant, held }));
        return periods.filter(({ held }) => held.period.startDate.startsWith(month));
      });
    if (rows.length === 0) return 'refused';
    rows.sort((a, b) => (a.held.period.startDate < b.held.period.startDate ? -1 : 1));
    const states = rows.map(({ id, tenant, held }) => this.#stateOf(id, tenant, held, at));
    return rows.map(({ id, held }, index) => {
      if (states[index] === 'closed') {
        held.isClosed = true;
        this.#closePeriod(id, held.period.startDate);
      }
      return `${id} ${held.period.startDate} ${states[index]}`;
    });
  }

  #stateOf(
    id: string,
    tenant: ModelTenant,
    held: { period: ModelPeriod; isClosed: boolean },
    at: number,
  ) {
    const { startDate, endsAt } = held.period;
    if (held.isClosed) return 'already_closed';
    if (at < endsAt) return 'not_ended';
    const isEarlierOpen = [...tenant.periods.values()].some(
      (other) => other.period.startDate < startDate && !other.isClosed,
    );
    const isUnrated = this.entries.some(
      (entry) =>
        entry.tenant === id &&
        entry.period === startDate &&
        entry.outcome === 'unrated' &&
        this.#stands(entry),
    );
    return isEarlierOpen || isUnrated ? 'refused' : 'closed';
  }

  /** Whole micro-dollars are billed, what is below is carried, and cents are rounded half up once. */
  #closePeriod(tenant: string, period: string): void {
    const own = this.entries.filter((entry) => entry.tenant === tenant && entry.period === period);
    const exact = own.reduce((sum, entry) => sum + (entry.charge ?? 0n), 0n);
    const carriedIn =
      this.closes.filter((close) => close.tenant === tenant).at(-1)?.carriedOut ?? 0n;
    const due = exact + carriedIn;
    const billableMicro = due <= 0n ? 0n : (due - (due % 1_000_000n)) / 1_000_000n;
    const carriedOut = due - billableMicro * 1_000_000n;
    // 10,000 micro-dollars are a cent; half a cent more makes the next one.
    const total = (billableMicro + 5_000n) / 10_000n;
    this.closes.push({ tenant, period, exact, carriedIn, billableMicro, carriedOut, total });
  }

  correct(entry: ModelEntry, change: ModelChange | null, at: number): 'posted' | 'refused' {
    const target = change?.tenant ?? entry.tenant;
    if (!this.#stands(entry)) return 'refused';
    if (target !== entry.tenant) {
      if (!this.#mayMove(entry, target)) return 'refused';
      this.#tenant(target, at);
    }
    this.#correct(entry, change);
    return 'posted';
  }

  /** Not to whom has it standing already, nor to whom has the same response under another event. */
  #mayMove(entry: ModelEntry, target: string): boolean {
    const held = this.#heldBy(entry, target);
    const isReported = this.entries.some(
      (other) =>
        isFirst(other) &&
        other.tenant === target &&
        other.response !== null &&
        other.response === entry.response &&
        other.provider === entry.provider &&
        other.member === entry.member &&
        isMeasured(other.tokens),
    );
    return !held.some((other) => this.#stands(other)) && (held.length > 0 || !isReported);
  }

  #heldBy({ source, event, member }: ModelEntry, target: string): readonly ModelEntry[] {
    return this.entries.filter(
      (other) =>
        other.tenant === target &&
        other.source === source &&
        other.event === event &&
        other.member === member,
    );
  }

  /** Every standing entry of the month whose amounts the books of today make different. */
  rerate(month: string): void {
    for (const entry of this.entries.filter(
      (one) => this.#stands(one) && one.period.startsWith(month),
    )) {
      const { outcome, charge, cost, requestedCost } = this.#price(entry);
      const isSame =
        outcome === entry.outcome &&
        charge === entry.charge &&
        cost === entry.cost &&
        requestedCost === entry.requestedCost;
      if (!isSame) this.#correct(entry, {});
    }
  }

  reattribute(target: string, feature: string | null, at: number): number | 'refused' {
    const lost = this.entries.filter(
      (entry) =>
        entry.tenant === NOBODY &&
        this.#stands(entry) &&
        (feature === null || entry.feature === feature),
    );
    if (lost.some((entry) => !this.#mayMove(entry, target))) return 'refused';
    if (lost.length > 0) this.#tenant(target, at);
    for (const entry of lost) this.#correct(entry, { tenant: target });
    return lost.length;
  }

  #correct(entry: ModelEntry, change: ModelChange | null, by = 'a person'): void {
    const as = { kind: 'correction', corrects: keyOf(entry) } as const;
    const back = { ...entry, ...as, isReversal: true, revision: entry.revision + 1 };
    this.entries.push({ ...back, ...this.#place(entry), ...negated(entry) });
    if (change === null) return;
    const { tenant = entry.tenant, output, uncached, ...facts } = change;
    const tokens = {
      ...entry.tokens,
      ...(output === undefined ? {} : { output }),
      ...(uncached === undefined ? {} : { uncached }),
    };
    const context =
      entry.member === '' ? tokens.uncached + tokens.read + tokens.write : entry.context;
    const isChanged = (facts.requested ?? entry.requested) !== entry.requested;
    const isSaid = entry.isSaid || (isChanged && by !== 'joiner');
    const anew = { ...entry, ...facts, ...as, tenant, tokens, context, isSaid, isReversal: false };
    const held = this.#heldBy(entry, tenant).map(({ revision }) => revision);
    const revision = tenant === entry.tenant ? entry.revision + 2 : Math.max(-1, ...held) + 1;
    this.#post({ ...anew, revision });
  }

  /** Of an entry and what corrects it, exactly one stands. */
  #stands(entry: ModelEntry): boolean {
    const key = keyOf(entry);
    return !entry.isReversal && !this.entries.some((other) => other.corrects === key);
  }

  #post(facts: ModelEntry): void {
    this.entries.push({ ...facts, ...this.#place(facts), ...this.#price(facts) });
  }

  #price(facts: ModelEntry) {
    const attributed = facts.tenant !== NOBODY;
    return priceOf(this.#books, facts, {
      attributed,
      book: this.#bookOf(facts.tenant, facts.occurredAt),
    });
  }

  /** Assigned at that time; else the one named standard; else the only one there is. */
  #bookOf(id: string, at: number): string | null {
    const assigned = this.#tenants
      .get(id)
      ?.books.filter(({ from }) => from <= at)
      .at(-1);
    if (assigned !== undefined) return assigned.book;
    const charge = this.#books.filter((book) => book.kind === 'charge').map(({ book }) => book);
    const names = [...new Set(charge)];
    if (names.includes('standard')) return 'standard';
    return names.length === 1 ? (names[0] ?? null) : null;
  }

  /** Usage of a closed period bills in the period after the last one that is closed, late (R12). */
  #place(facts: Pick<ModelEntry, 'tenant' | 'occurredAt'>) {
    const tenant = this.#tenants.get(facts.tenant);
    if (tenant === undefined) throw new Error(`the model knows no tenant ${facts.tenant}`);
    const until = closedUntil(tenant);
    const late = facts.occurredAt < until;
    const period = periodAt(tenant.rules, late ? until : facts.occurredAt);
    if (!tenant.periods.has(period.startDate)) {
      tenant.periods.set(period.startDate, { period, isClosed: false });
    }
    return { period: period.startDate, late };
  }

  #tenant(id: string, at: number): ModelTenant {
    const known = this.#tenants.get(id);
    if (known !== undefined) return known;
    const rules = [{ from: null, zone: 'UTC', anchor: 1 }];
    const tenant = { createdAt: at, rules, books: [], periods: new Map() };
    this.#tenants.set(id, tenant);
    return tenant;
  }
}

/**
 * Periods without usage close like the others, for tenants that were there before their end. One that
 * has not ended is only answered for: that somebody asked too early leaves nothing behind.
 */
function addIdle(tenant: ModelTenant, month: string, at: number) {
  const running: { readonly period: ModelPeriod; isClosed: boolean }[] = [];
  for (const period of periodsOf(tenant.rules)) {
    if (!period.startDate.startsWith(month) || tenant.periods.has(period.startDate)) continue;
    if (period.endsAt <= tenant.createdAt || period.endsAt <= closedUntil(tenant)) continue;
    if (period.endsAt > at) running.push({ period, isClosed: false });
    else tenant.periods.set(period.startDate, { period, isClosed: false });
  }
  return running;
}

function closedUntil(tenant: ModelTenant): number {
  const closed = [...tenant.periods.values()].filter(({ isClosed }) => isClosed);
  return Math.max(Number.NEGATIVE_INFINITY, ...closed.map(({ period }) => period.endsAt));
}

function tenantsOf(event: ModelEvent): readonly string[] {
  const named = event.members?.map((member) => member.tenant_id ?? event.tenant_id) ?? [
    event.tenant_id,
  ];
  return [...new Set(named.map((id) => id ?? NOBODY))];
}

/** A gateway's cache answers with an older response, and is a call of its own. */
function responseOf(event: ModelEvent): string | null {
  const isCall = event.gateway_cache === 'none' && MODEL_CALLS.includes(event.operation);
  return isCall ? (event.response_id ?? null) : null;
}

/** The parts of a call before they are priced and placed (R7). */
function partsOf(event: ModelEvent): readonly ModelEntry[] {
  const {
    input_tokens,
    output_tokens,
    cache_read_tokens: read,
    cache_write_tokens: write,
  } = event.usage;
  const tokens = { uncached: input_tokens - read - write, read, write, output: output_tokens };
  const facts: ModelEntry = {
    tenant: event.tenant_id ?? NOBODY,
    source: event.source,
    event: event.event_id,
    member: '',
    revision: 0,
    kind: 'usage',
    isReversal: false,
    corrects: null,
    occurredAt: Date.parse(event.occurred_at),
    status: event.status,
    provider: event.provider ?? null,
    requested: event.requested_model,
    executed: event.executed_model ?? event.requested_model,
    tier: event.service_tier,
    gateway: event.gateway_cache !== 'none',
    tokens,
    context: input_tokens,
    share: 1_000_000,
    feature: event.feature ?? null,
    trace: event.members === undefined ? (event.trace_id ?? null) : null,
    parent: event.parent_span_id ?? null,
    attempt: event.attempt,
    isWeak: ['model', 'model_group'].includes(event.tags?.['requested_model_source'] ?? ''),
    response: responseOf(event),
    whole: tokens,
    outcome: 'unrated',
    charge: null,
    cost: null,
    requestedCost: null,
    isSaid: false,
    period: '',
    late: false,
  };
  const { members } = event;
  if (members === undefined) return [facts];
  const parts = splitTokens(tokens, members);
  return members.map((member, index) => ({
    ...facts,
    tenant: member.tenant_id ?? event.tenant_id ?? NOBODY,
    member: member.member_id,
    status: member.status ?? event.status,
    ...(parts[index] ?? { tokens, share: 0 }),
  }));
}

function splitTokens(
  tokens: ModelTokens,
  members: readonly ModelMember[],
): readonly { readonly tokens: ModelTokens; readonly share: number }[] {
  const weights = (own: (member: ModelMember) => number | undefined) => {
    const tokensOf = members.map((member) => own(member) ?? 0);
    // Weights of histories are quarters.
    return tokensOf.some((count) => count > 0)
      ? tokensOf
      : members.map(({ weight = 0 }) => weight * 4);
  };
  const input = weights((member) => member.input_tokens);
  const output = weights((member) => member.output_tokens);
  const columns = {
    uncached: share(tokens.uncached, input),
    read: share(tokens.read, input),
    write: share(tokens.write, input),
    output: share(tokens.output, output),
  };
  const parts = members.map((_, index) => ({
    uncached: columns.uncached[index] ?? 0,
    read: columns.read[index] ?? 0,
    write: columns.write[index] ?? 0,
    output: columns.output[index] ?? 0,
  }));
  const shares = share(
    1_000_000,
    parts.map((part) => part.uncached + part.read + part.write + part.output),
  );
  return parts.map((part, index) => ({ tokens: part, share: shares[index] ?? 0 }));
}

/** The failed attempt with which the call of an answer began; null where there is none. */
function firstOf(answer: ModelEntry, all: readonly ModelEntry[]): ModelEntry | null {
  if (answer.status !== 'ok' || answer.trace === null) return null;
  if (answer.attempt === 1 && !answer.isWeak) return null;
  const failed = all.filter(
    (other) =>
      other.status !== 'ok' &&
      !other.isReversal &&
      other.tenant === answer.tenant &&
      other.source === answer.source &&
      other.trace === answer.trace &&
      other.parent === answer.parent &&
      (other.occurredAt <= answer.occurredAt || isHedge(other, answer)) &&
      (answer.attempt === 1 || other.attempt < answer.attempt),
  );
  const ordered = failed.sort((a, b) => a.occurredAt - b.occurredAt || a.attempt - b.attempt);
  if (answer.attempt === 1) return inOneGo(answer, ordered);
  const firsts = ordered.filter((other) => other.attempt === 1);
  const away = (other: ModelEntry) => Math.abs(answer.occurredAt - other.occurredAt);
  return firsts.sort((a, b) => away(a) - away(b))[0] ?? ordered[0] ?? null;
}

/** The first attempt of a hedge ends after the answer, for which it was cancelled. */
function isHedge(other: ModelEntry, answer: ModelEntry): boolean {
  return answer.attempt > 1 && other.status === 'cancelled';
}

/** Where attempts have no numbers, the first of those between which no ten seconds pass. */
function inOneGo(answer: ModelEntry, ordered: readonly ModelEntry[]): ModelEntry | null {
  let first = answer;
  for (const attempt of [...ordered].reverse()) {
    if (first.occurredAt - attempt.occurredAt > 10_000) break;
    first = attempt;
  }
  return first === answer ? null : first;
}

function negated(entry: ModelEntry) {
  const { uncached, read, write, output } = entry.tokens;
  return {
    tokens: { uncached: -uncached, read: -read, write: -write, output: -output },
    charge: entry.charge === null ? null : -entry.charge,
    cost: entry.cost === null ? null : -entry.cost,
    requestedCost: entry.requestedCost === null ? null : -entry.requestedCost,
    outcome: entry.outcome,
    share: -entry.share,
  };
}
