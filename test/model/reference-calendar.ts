/** Billing periods by brute force: every start of a few years, found by looking at the zone's clock. */

export interface ModelRule {
  /** Null: since ever. */
  readonly from: number | null;
  readonly zone: string;
  readonly anchor: number;
}

export interface ModelPeriod {
  readonly startDate: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const HOUR = 60 * MINUTE;
const FIRST_YEAR = 2026;
const MONTHS = 20;

/** From January 2026 on, ascending; the last one has no end and is left out. */
export function periodsOf(rules: readonly ModelRule[]): readonly ModelPeriod[] {
  const starts: { startsAt: number; startDate: string }[] = [];
  for (const [index, rule] of rules.entries()) {
    const from = rule.from ?? Number.NEGATIVE_INFINITY;
    const until = rules[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    const boundaries = Array.from({ length: MONTHS }, (_, month) => boundary(rule, month));
    const own = rule.from === null ? boundaries : [rule.from, ...boundaries];
    for (const startsAt of own.filter((at) => at >= from && at < until)) {
      const startDate = localDate(rule.zone, startsAt);
      // A start without a later date than the one before it is passed over.
      if (startDate > (starts.at(-1)?.startDate ?? '')) starts.push({ startsAt, startDate });
    }
  }
  return starts.slice(0, -1).map((start, index) => ({
    ...start,
    endsAt: starts[index + 1]?.startsAt ?? 0,
  }));
}

export function periodAt(rules: readonly ModelRule[], instant: number): ModelPeriod {
  const found = periodsOf(rules).find(
    ({ startsAt, endsAt }) => startsAt <= instant && instant < endsAt,
  );
  if (found === undefined) throw new Error(`the model's calendar does not reach ${instant}`);
  return found;
}

/** The first quarter of an hour of the local day that holds an instant. */
export function beginOfDay(rules: readonly ModelRule[], instant: number): number {
  const rule = rules.filter(({ from }) => from === null || from <= instant).at(-1);
  if (rule === undefined) throw new Error(`the model has no rule at ${instant}`);
  const today = localDate(rule.zone, instant);
  let begin = instant - (instant % QUARTER);
  while (localDate(rule.zone, begin - QUARTER) === today) begin -= QUARTER;
  return begin;
}

const known = new Map<string, number>();

/** The first quarter of an hour at which the zone's date is the anchor's or later. */
function boundary({ zone, anchor }: ModelRule, month: number): number {
  const key = `${zone} ${anchor} ${month}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const lastDay = new Date(Date.UTC(FIRST_YEAR, month + 1, 0)).getUTCDate();
  const day = Date.UTC(FIRST_YEAR, month, Math.min(anchor, lastDay));
  const date = new Date(day).toISOString().slice(0, 10);
  let instant = day - 16 * HOUR;
  while (localDate(zone, instant) < date) instant += QUARTER;
  known.set(key, instant);
  return instant;
}

function localDate(zone: string, instant: number): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(instant);
}
