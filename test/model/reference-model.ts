import { firstOf } from './reference-attempts.ts';
import { periodAt } from './reference-calendar.ts';
import type { ModelEntry, ModelEvent } from './reference-events.ts';
import {
  adjustmentOf,
  keyOf,
  MODEL_CALLS,
  NOBODY,
  partsOf,
  tenantsOf,
} from './reference-events.ts';
import type { ModelBook } from './reference-prices.ts';
import { priceOf } from './reference-prices.ts';
import {
  compareReports,
  isCounted,
  isFirst,
  isMeasured,
  isSameAnswer,
  keptOf,
  partKey,
} from './reference-reports.ts';
import type { HeldPeriod, ModelTenant, TenantSettings } from './reference-tenants.ts';
import {
  addIdle,
  assignBook,
  closedUntil,
  firstClosed,
  leaveAt,
  newTenant,
  setCalendar,
} from './reference-tenants.ts';
import { mapUnits, sumOf } from './reference-units.ts';

/**
 * The ledger as src/RULES.md has it, small and obvious: lists in memory, one step after another. It
 * knows no database and shares no code with what it predicts.
 */

export interface ModelChange {
  readonly tenant?: string;
  readonly feature?: string;
  readonly status?: 'ok' | 'error' | 'cancelled';
  readonly requested?: string;
  readonly output?: number;
  readonly uncached?: number;
}

/** What entries have in common; every field that is given must match. */
export interface ModelCondition {
  readonly tenant?: string;
  readonly feature?: string | null;
  readonly requested?: string;
  readonly status?: ModelEntry['status'];
}

export interface ModelClose {
  readonly tenant: string;
  readonly period: string;
  readonly mode: 'shadow' | 'live';
  readonly exact: bigint;
  readonly carriedIn: bigint;
  readonly billableMicro: bigint;
  readonly carriedOut: bigint;
  /** What of it waits for the next live period. */
  readonly held: bigint;
  readonly total: bigint;
}

interface ClosableRow {
  readonly id: string;
  readonly tenant: ModelTenant;
  readonly held: HeldPeriod;
}

const HOUR = 3_600_000;

export class ReferenceModel {
  entries: ModelEntry[] = [];
  closes: ModelClose[] = [];
  #books: ModelBook[] = [];
  /** The first charge book; none that comes later takes its place. */
  #defaultBook: string | null = null;
  #tenants = new Map<string, ModelTenant>();
  /** Content by identity. */
  #events = new Map<string, string>();
  #waiting = new Set<string>();

  constructor() {
    this.#tenant(NOBODY, Date.parse('2026-01-01T00:00:00Z'));
  }

  /** Keeps everything as it is; what it answers with takes everything back to that. */
  dump(): () => void {
    const kept = structuredClone({
      ...{ entries: this.entries, closes: this.closes, books: this.#books },
      ...{ defaultBook: this.#defaultBook, tenants: this.#tenants },
      ...{ events: this.#events, waiting: this.#waiting },
    });
    return () => {
      const { entries, closes, books, defaultBook, tenants, events, waiting } =
        structuredClone(kept);
      this.entries = entries;
      this.closes = closes;
      this.#books = books;
      this.#defaultBook = defaultBook;
      this.#tenants = tenants;
      this.#events = events;
      this.#waiting = waiting;
    };
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
    if (book.kind === 'charge') this.#defaultBook ??= book.book;
    return 'imported';
  }

  setTenant(id: string, settings: TenantSettings, at: number): 'set' | 'refused' {
    const { book } = settings;
    const isCharge = this.#books.some((other) => other.book === book && other.kind === 'charge');
    if (book !== undefined && !isCharge) return 'refused';
    const tenant = this.#tenant(id, at);
    const entries = this.entries.filter((entry) => entry.tenant === id);
    if (setCalendar(tenant, settings, { entries, at }) === 'refused') return 'refused';
    tenant.mode = settings.mode ?? tenant.mode;
    if (book !== undefined) assignBook(tenant, book, { isUsed: entries.length > 0, at });
    return 'set';
  }

  /** One batch; what became of each event, in order. */
  deliver(events: readonly ModelEvent[], at: number): readonly string[] {
    const readable = events.filter((event) => Date.parse(event.occurred_at) <= at + 24 * HOUR);
    for (const event of readable) for (const id of tenantsOf(event)) this.#tenant(id, at);
    const fresh: ModelEvent[] = [];
    const before = this.entries.filter(isFirst);
    const known = [...before];
    // The ledger's key refuses a batch that repeats a response of a tenant, and then everything is looked up.
    const isRefused = readable.some(
      (event) =>
        this.#isNew(event) &&
        partsOf(event).some((part) => before.some((other) => isSameAnswer(other, part))),
    );
    const outcomes = events.map((event) => {
      const content = JSON.stringify(event);
      if (!readable.includes(event)) return this.#wait(content, 'quarantined');
      const keys = tenantsOf(event).map((id) => [id, event.source, event.event_id].join('|'));
      const held = keys.map((key) => this.#events.get(key)).find((other) => other !== undefined);
      if (held !== undefined)
        return held === content ? 'duplicate' : this.#wait(content, 'conflict');
      const parts = partsOf(event);
      const pairs = parts.flatMap((part) => known.map((other) => [other, part] as const));
      if (pairs.some(([a, b]) => compareReports(a, b) === 'same' && keptOf(a, b) === a))
        return 'duplicate';
      // A report without a tenant that was there before is not looked for: what contradicts it stands beside it.
      const seen = pairs.filter(
        ([a, b]) =>
          isRefused || !before.includes(a) || a.tenant === b.tenant || b.tenant === NOBODY,
      );
      if (seen.some(([a, b]) => compareReports(a, b) === 'conflict'))
        return this.#wait(content, 'conflict');
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

  #isNew(event: ModelEvent): boolean {
    return tenantsOf(event).every(
      (id) => !this.#events.has([id, event.source, event.event_id].join('|')),
    );
  }

  /** What waits in quarantine waits once, and is a duplicate when it comes again. */
  #wait(content: string, outcome: string): string {
    if (this.#waiting.has(content)) return 'duplicate';
    this.#waiting.add(content);
    return outcome;
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

  /** A close folds first. */
  close(month: string, only: string | null, at: number): 'refused' | readonly string[] {
    this.join();
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
    const shut = new Set<HeldPeriod>();
    const states = rows.map((row) => {
      const state = this.#stateOf(row, shut, at);
      if (state === 'closed') shut.add(row.held);
      return state;
    });
    return rows.map(({ id, held }, index) => {
      if (shut.has(held)) {
        held.isClosed = true;
        held.mode = this.#tenant(id, at).mode;
        this.#closePeriod(id, held.period.startDate, held.mode);
      }
      return `${id} ${held.period.startDate} ${states[index]}`;
    });
  }

  /** A period waits for those before it, but not for those that are shut along with it. */
  #stateOf({ id, tenant, held }: ClosableRow, shut: ReadonlySet<HeldPeriod>, at: number) {
    const { startDate, endsAt } = held.period;
    if (held.isClosed) return 'already_closed';
    if (at < endsAt) return 'not_ended';
    const isEarlierOpen = [...tenant.periods.values()].some(
      (other) =>
        other.period.startDate < startDate &&
        !other.isClosed &&
        !shut.has(other) &&
        !this.#holdsUpNobody(id, tenant, other),
    );
    return isEarlierOpen || this.#isWaiting(id, startDate) ? 'refused' : 'closed';
  }

  /**
   * There is no money in a period that ended before the tenant was there and has only usage without a
   * price or usage that was taken back, and none is carried through it where nothing was closed before it (R12).
   */
  #holdsUpNobody(id: string, tenant: ModelTenant, { period }: HeldPeriod): boolean {
    const own = this.#entriesOf(id, period.startDate);
    const isCharged = own.some((entry) => (entry.charge ?? 0n) !== 0n && this.#stands(entry));
    const isTakenBack = own.some(({ isReversal }) => isReversal);
    const isCarried = this.closes.some(
      (close) => close.tenant === id && close.period < period.startDate,
    );
    const isBefore = period.endsAt <= tenant.createdAt;
    const isEmpty = isTakenBack || this.#isWaiting(id, period.startDate);
    return isBefore && !isCharged && !isCarried && isEmpty;
  }

  #isWaiting(id: string, period: string): boolean {
    return this.#entriesOf(id, period).some(
      (entry) => ['unrated', 'unmeasured'].includes(entry.outcome) && this.#stands(entry),
    );
  }

  #entriesOf(tenant: string, period: string): readonly ModelEntry[] {
    return this.entries.filter((entry) => entry.tenant === tenant && entry.period === period);
  }

  /** Whole micro-dollars are billed, what is below is carried, and cents are rounded half up once. */
  #closePeriod(tenant: string, period: string, mode: 'shadow' | 'live'): void {
    const own = this.#entriesOf(tenant, period).filter((entry) => entry.due);
    const exact = own.reduce((sum, entry) => sum + (entry.charge ?? 0n), 0n);
    const before = this.closes.filter(
      (close) => close.tenant === tenant && close.period < period && close.mode === mode,
    );
    const last = before.sort((a, b) => (a.period < b.period ? -1 : 1)).at(-1);
    const sinceBill = this.closes.filter(
      (close) =>
        close.tenant === tenant && close.mode === 'shadow' && close.period > (last?.period ?? ''),
    );
    const waited = sinceBill.reduce((sum, { held }) => sum + held, 0n);
    const carriedIn = (last?.carriedOut ?? 0n) + (mode === 'live' ? waited : -(last?.held ?? 0n));
    // What is late and due in shadow is of months that were billed, and waits for the next live one.
    const held =
      mode === 'live'
        ? 0n
        : own.reduce((sum, { late, charge }) => sum + (late ? (charge ?? 0n) : 0n), 0n);
    const due = exact + carriedIn - held;
    const billableMicro = due <= 0n ? 0n : (due - (due % 1_000_000n)) / 1_000_000n;
    const carriedOut = due - billableMicro * 1_000_000n + held;
    // 10,000 micro-dollars are a cent; half a cent more makes the next one.
    const total = (billableMicro + 5_000n) / 10_000n;
    const kept = { exact, carriedIn, billableMicro, carriedOut, held, total };
    this.closes.push({ tenant, period, mode, ...kept });
  }

  /** Ends the running period of a customer who leaves, and closes it. */
  leave(id: string, leaves: number, at: number): 'refused' | readonly string[] {
    const tenant = this.#tenants.get(id);
    if (tenant === undefined) return 'refused';
    const entries = this.entries.filter((entry) => entry.tenant === id);
    const last = leaveAt(tenant, leaves, entries);
    return last === 'refused' ? last : this.close(last.startDate.slice(0, 7), id, at);
  }

  /** An id is one adjustment for ever. */
  adjust(given: Parameters<typeof adjustmentOf>[0]): 'posted' | 'duplicate' | 'refused' {
    if (!this.#tenants.has(given.tenant) || given.amount === 0n) return 'refused';
    const adjustment = adjustmentOf(given);
    const held = this.entries.find((entry) => keyOf(entry) === keyOf(adjustment));
    if (held !== undefined) {
      const isSame = held.charge === given.amount && held.requested === given.reason;
      return isSame ? 'duplicate' : 'refused';
    }
    this.entries.push({ ...adjustment, ...this.#place(adjustment) });
    return 'posted';
  }

  /**
   * Corrects every call that stands and matches and that occurred in a month, where that makes it another one and does not
   * take its price away. Answers how many were looked at and how many corrected.
   */
  correctWhere(
    where: ModelCondition,
    month: string | null,
    change: ModelChange | null,
  ): 'refused' | readonly [number, number] {
    if (where.tenant !== undefined && !this.#tenants.has(where.tenant)) return 'refused';
    const fields = Object.entries(where) as [keyof ModelCondition, string | null][];
    const matching = this.entries.filter(
      (entry) =>
        this.#isCall(entry) &&
        this.#stands(entry) &&
        fields.every(([field, value]) => entry[field] === value) &&
        (month === null || this.#monthOf(entry) === month),
    );
    const due = matching.filter((entry) => {
      if (change === null) return true;
      const anew = this.#price({ ...entry, ...change });
      const isLike = Object.entries(change).every(
        ([field, value]) => Reflect.get(entry, field) === value,
      );
      return !isPriceLost(anew, entry) && !(isLike && isSamePrice(anew, entry));
    });
    for (const entry of due) this.#correct(entry, change);
    return [matching.length, due.length];
  }

  /** Shares of pools and adjustments, and what takes them back, have no call behind them. */
  #isCall(entry: ModelEntry): boolean {
    return entry.kind !== 'adjustment';
  }

  correct(entry: ModelEntry, change: ModelChange | null, at: number): 'posted' | 'refused' {
    const target = change?.tenant ?? entry.tenant;
    if (!this.#stands(entry)) return 'refused';
    if (entry.kind === 'adjustment' && change !== null) return 'refused';
    if (target !== entry.tenant) {
      if (!this.#tenants.has(target)) return 'refused';
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

  /**
   * Every standing entry of a call that occurred in the month, wherever it bills, whose amounts the books
   * of today make different; a price that was known is not taken away (R15).
   */
  rerate(month: string): void {
    const standing = this.entries.filter((one) => this.#isCall(one) && this.#stands(one));
    for (const entry of standing.filter((one) => this.#monthOf(one) === month)) {
      const anew = this.#price(entry);
      if (!isPriceLost(anew, entry) && !isSamePrice(anew, entry)) this.#correct(entry, {});
    }
  }

  /** The month in which the period of the call itself begins. */
  #monthOf({ tenant, occurredAt }: ModelEntry): string | null {
    const rules = this.#tenants.get(tenant)?.rules;
    return rules === undefined ? null : periodAt(rules, occurredAt).startDate.slice(0, 7);
  }

  /** Nobody made a tenant by a slip of the keyboard. */
  reattribute(target: string, feature: string | null, at: number): number | 'refused' {
    if (!this.#tenants.has(target)) return 'refused';
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
    // What takes an adjustment back stands under the same heading.
    const kind = entry.kind === 'adjustment' ? 'adjustment' : 'correction';
    const as = { kind, corrects: keyOf(entry) } as const;
    const back = { ...entry, ...as, isReversal: true, revision: entry.revision + 1 };
    const place = { ...this.#place(entry), due: this.#isBilled(entry) };
    this.entries.push({ ...back, ...place, ...negated(entry) });
    if (change === null) return;
    const { tenant = entry.tenant, output, uncached, ...facts } = change;
    const tokens = {
      ...entry.tokens,
      ...(output === undefined ? {} : { output }),
      ...(uncached === undefined ? {} : { uncached }),
    };
    const context =
      entry.member === ''
        ? tokens.uncached + tokens.read + tokens.write + sumOf(tokens.units, { side: 'input' })
        : entry.context;
    const isChanged = (facts.requested ?? entry.requested) !== entry.requested;
    const isSaid = entry.isSaid || (isChanged && by !== 'joiner');
    const anew = { ...entry, ...facts, ...as, tenant, tokens, context, isSaid, isReversal: false };
    const held = this.#heldBy(entry, tenant).map(({ revision }) => revision);
    const revision = tenant === entry.tenant ? entry.revision + 2 : Math.max(-1, ...held) + 1;
    this.#post({ ...anew, revision }, tenant === entry.tenant ? { due: place.due } : {});
  }

  /** Of an entry and what corrects it, exactly one stands. */
  #stands(entry: ModelEntry): boolean {
    const key = keyOf(entry);
    return !entry.isReversal && !this.entries.some((other) => other.corrects === key);
  }

  #post(facts: ModelEntry, as: Partial<Pick<ModelEntry, 'due'>> = {}): void {
    this.entries.push({ ...facts, ...this.#place(facts), ...this.#price(facts), ...as });
  }

  /** Whether an entry is on a bill, or will be: what is on none is taken back from none (R19). */
  #isBilled(entry: ModelEntry): boolean {
    const tenant = this.#tenant(entry.tenant, entry.occurredAt);
    if (!this.#place(entry).late) return true;
    const closed = firstClosed(tenant, ({ startDate }) => entry.period <= startDate);
    return entry.due && (closed?.mode !== 'shadow' || entry.late);
  }

  #price(facts: ModelEntry) {
    const attributed = facts.tenant !== NOBODY;
    const book = this.#bookOf(facts.tenant, facts.occurredAt);
    return priceOf(this.#books, { ...facts, measured: isCounted(facts) }, { attributed, book });
  }

  /** The tenant's own at that time, else the default. */
  #bookOf(id: string, at: number): string | null {
    const books = this.#tenants.get(id)?.books ?? [];
    return books.filter(({ from }) => from <= at).at(-1)?.book ?? this.#defaultBook;
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
    const closed = firstClosed(tenant, ({ endsAt }) => facts.occurredAt < endsAt);
    return { period: period.startDate, late, due: closed?.mode !== 'shadow' };
  }

  #tenant(id: string, at: number): ModelTenant {
    const known = this.#tenants.get(id);
    if (known !== undefined) return known;
    const tenant = newTenant(at);
    this.#tenants.set(id, tenant);
    return tenant;
  }
}

type Price = Pick<ModelEntry, 'outcome' | 'charge' | 'cost' | 'requestedCost'>;

function isPriceLost(anew: Price, entry: Price): boolean {
  const isChargeLost = anew.charge === null && entry.charge !== null;
  return isChargeLost || (anew.cost === null && entry.cost !== null);
}

function isSamePrice(anew: Price, entry: Price): boolean {
  return (
    anew.outcome === entry.outcome &&
    anew.charge === entry.charge &&
    anew.cost === entry.cost &&
    anew.requestedCost === entry.requestedCost
  );
}

function negated(entry: ModelEntry) {
  const { uncached, read, write, output } = entry.tokens;
  const units = mapUnits(entry.tokens.units, (count) => -count);
  return {
    tokens: { uncached: -uncached, read: -read, write: -write, output: -output, units },
    charge: entry.charge === null ? null : -entry.charge,
    cost: entry.cost === null ? null : -entry.cost,
    requestedCost: entry.requestedCost === null ? null : -entry.requestedCost,
    outcome: entry.outcome,
    share: -entry.share,
  };
}
