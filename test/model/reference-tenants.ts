import type { ModelPeriod, ModelRule } from './reference-calendar.ts';
import { beginOfDay, periodAt, periodsOf } from './reference-calendar.ts';
import type { ModelEntry } from './reference-events.ts';

/** Tenants of the reference model: their calendars, their books and their periods (R12, R15, R16). */

export interface TenantSettings {
  readonly mode?: 'shadow' | 'live';
  readonly zone?: string;
  readonly anchor?: number;
  readonly book?: string;
}

export interface ModelTenant {
  readonly createdAt: number;
  mode: 'shadow' | 'live';
  rules: readonly ModelRule[];
  /** Ascending by date, one a date. */
  books: readonly { readonly from: number; readonly book: string }[];
  readonly periods: Map<string, HeldPeriod>;
  /** Where its last period ends; null while it stays. */
  leftAt: number | null;
}

export interface HeldPeriod {
  readonly period: ModelPeriod;
  isClosed: boolean;
  /** The mode in which it was closed; nothing before. */
  mode?: 'shadow' | 'live';
}

export function newTenant(createdAt: number): ModelTenant {
  const rules = [{ from: null, zone: 'UTC', anchor: 1 }];
  return { createdAt, mode: 'shadow', rules, books: [], periods: new Map(), leftAt: null };
}

/**
 * While nothing is closed and every entry stays in the period in which it stands, a calendar is simply
 * another one. Else a change waits for the end of the tenant's last period, and one that has not come
 * yet is replaced.
 */
export function setCalendar(
  tenant: ModelTenant,
  settings: TenantSettings,
  of: { readonly entries: readonly ModelEntry[]; readonly at: number },
): 'set' | 'refused' {
  const current = tenant.rules.at(-1) ?? { zone: 'UTC', anchor: 1 };
  const { zone = current.zone, anchor = current.anchor } = settings;
  if (zone === current.zone && anchor === current.anchor) return 'set';
  if (tenant.leftAt !== null && closedUntil(tenant) < tenant.leftAt) return 'refused';
  if (closedUntil(tenant) === Number.NEGATIVE_INFINITY) {
    const rules = [{ from: null, zone, anchor }];
    const moved = movedPeriods(tenant, rules, of.entries);
    if (moved !== null) {
      tenant.rules = rules;
      for (const period of moved) {
        tenant.periods.set(period.startDate, { period, isClosed: false });
      }
      return 'set';
    }
    if (endFirst(tenant, { zone, anchor }, of)) return 'set';
  }
  const starts = [...tenant.periods.values()].map(({ period }) => period.startsAt);
  const asOf = Math.max(of.at, ...starts);
  const inEffect = tenant.rules.filter(({ from }) => from === null || from <= asOf);
  const last = inEffect.at(-1);
  const isBack = last?.zone === zone && last.anchor === anchor;
  const from = periodAt(inEffect, asOf).endsAt;
  tenant.rules = isBack ? inEffect : [...inEffect, { from, zone, anchor }];
  return 'set';
}

/**
 * The running period ends where a customer leaves, and another one would begin there; the same instant again asks
 * for nothing new. Answers the period that ends there.
 */
export function leaveAt(
  tenant: ModelTenant,
  at: number,
  entries: readonly ModelEntry[],
): ModelPeriod | 'refused' {
  if (tenant.leftAt === at) return periodAt(tenant.rules, at - 1);
  if (tenant.leftAt !== null || at < closedUntil(tenant)) return 'refused';
  const running = periodAt(tenant.rules, at);
  if (running.startsAt === at) {
    tenant.leftAt = at;
    return periodAt(tenant.rules, at - 1);
  }
  const rule = tenant.rules.filter(({ from }) => from === null || from <= at).at(-1);
  if (rule === undefined) throw new Error('the model has no rule at that instant');
  const split = [...tenant.rules, { ...rule, from: at }].sort((a, b) => since(a) - since(b));
  if (periodAt(split, at).startsAt !== at) return 'refused';
  const after = entries.filter(({ period }) => period >= running.startDate);
  if (after.some(({ occurredAt }) => occurredAt >= at)) return 'refused';
  tenant.rules = split;
  tenant.leftAt = at;
  const held = tenant.periods.get(running.startDate);
  const last = { ...running, endsAt: at };
  if (held !== undefined) tenant.periods.set(running.startDate, { ...held, period: last });
  return last;
}

function since({ from }: ModelRule): number {
  return from ?? Number.NEGATIVE_INFINITY;
}

/** While nothing is closed, the running period ends where the next one begins by the new rule, if that is sooner. */
function endFirst(
  tenant: ModelTenant,
  rule: Omit<ModelRule, 'from'>,
  of: { readonly entries: readonly ModelEntry[]; readonly at: number },
): boolean {
  const starts = [...tenant.periods.values()].map(({ period }) => period.startsAt);
  if (starts.length === 0) return false;
  const used = of.entries.filter(({ late }) => !late).map(({ occurredAt }) => occurredAt);
  const last = Math.max(of.at, ...starts, ...used);
  const from = periodAt([{ from: null, ...rule }], last).endsAt;
  const inEffect = tenant.rules.filter((one) => one.from === null || one.from <= last);
  const running = periodAt(inEffect, last);
  const rules = [...inEffect, { from, ...rule }];
  if (from >= running.endsAt || periodAt(rules, last).endsAt !== from) return false;
  tenant.rules = rules;
  const held = tenant.periods.get(running.startDate);
  if (held !== undefined) {
    tenant.periods.set(running.startDate, { ...held, period: { ...running, endsAt: from } });
  }
  return true;
}

/** The tenant's periods by other rules; null where an entry would come to stand in another one. */
function movedPeriods(
  tenant: ModelTenant,
  rules: readonly ModelRule[],
  entries: readonly ModelEntry[],
): readonly ModelPeriod[] | null {
  const moved = [...tenant.periods.values()].map(({ period: { startDate, startsAt } }) => {
    const own = entries.filter((entry) => entry.period === startDate && !entry.late);
    const instants = own.length === 0 ? [startsAt] : own.map(({ occurredAt }) => occurredAt);
    const periods = instants.map((instant) => periodAt(rules, instant));
    return periods.every((period) => period.startDate === startDate) ? periods[0] : undefined;
  });
  const fitting = moved.filter((period) => period !== undefined);
  return fitting.length === moved.length ? fitting : null;
}

/** A book holds from now on; the first one of a tenant without any entry from the begin of its day. */
export function assignBook(
  tenant: ModelTenant,
  book: string,
  of: { readonly isUsed: boolean; readonly at: number },
): void {
  if (tenant.books.at(-1)?.book === book) return;
  const isNew = tenant.books.length === 0 && !of.isUsed;
  const from = isNew ? beginOfDay(tenant.rules, of.at) : of.at;
  tenant.books = [...tenant.books.filter((other) => other.from !== from), { from, book }];
}

/**
 * Periods without usage close like the others, for tenants that were there before their end. One that
 * has not ended is only answered for: that somebody asked too early leaves nothing behind.
 */
export function addIdle(tenant: ModelTenant, month: string, at: number): readonly HeldPeriod[] {
  const running: HeldPeriod[] = [];
  for (const period of periodsOf(tenant.rules)) {
    if (!period.startDate.startsWith(month) || tenant.periods.has(period.startDate)) continue;
    if (period.endsAt <= tenant.createdAt || period.endsAt <= closedUntil(tenant)) continue;
    if (tenant.leftAt !== null && period.startsAt >= tenant.leftAt) continue;
    if (period.endsAt > at) running.push({ period, isClosed: false });
    else tenant.periods.set(period.startDate, { period, isClosed: false });
  }
  return running;
}

/** The first of the closed periods for which something holds: what is of before it belongs to it. */
export function firstClosed(
  tenant: ModelTenant,
  holds: (period: ModelPeriod) => boolean,
): HeldPeriod | undefined {
  return [...tenant.periods.values()]
    .filter(({ isClosed, period }) => isClosed && holds(period))
    .sort((a, b) => a.period.startsAt - b.period.startsAt)
    .at(0);
}

export function closedUntil(tenant: ModelTenant): number {
  const closed = [...tenant.periods.values()].filter(({ isClosed }) => isClosed);
  return Math.max(Number.NEGATIVE_INFINITY, ...closed.map(({ period }) => period.endsAt));
}
