import type { InstantMs } from '../clock.ts';
import { present } from '../present.ts';

/** A time in which a zone's clocks keep one offset: half-open, and no longer than a span. */
export interface Stretch {
  readonly startsAt: InstantMs;
  readonly endsAt: InstantMs;
  /** What the zone's clocks show less what UTC's show. */
  readonly offsetMs: number;
}

/**
 * Finds the stretch that contains the instant. To ask the runtime for an offset costs microseconds,
 * and the search for a change asks dozens of times, so what was found is kept. Throws a RangeError
 * on a zone that the runtime does not know.
 */
export function stretchAt(timeZone: string, instant: InstantMs): Stretch {
  const stretches = stretchesIn(zoneOf(timeZone), Math.floor(instant / SPAN_MS));
  const stretch = stretches.findLast(({ startsAt }) => startsAt <= instant);
  return present(stretch, 'the stretch that contains an instant of its span');
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly knownSpans: Map<number, readonly Stretch[]>;
}

/** The cache holds at most as many zones as the runtime knows. */
const zones = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const zone = { format, knownSpans: new Map() };
  zones.set(timeZone, zone);
  return zone;
}

/**
 * The distance at which the clocks are looked at. No zone has changed its offset twice within this
 * time since 1970, nor will before 2100 by what IANA knows: the least is a week less an hour
 * (Recife in October 2000, Gaza about Ramadan).
 */
const STEP_MS = 4 * 86_400_000;

/** Somewhat more than a year, in whole steps from 1970 on. */
const SPAN_MS = 92 * STEP_MS;

/**
 * The most spans that are kept of one zone: two centuries, which is more than billing asks for, in
 * some fifty kilobytes.
 */
const MOST_SPANS = 200;

function stretchesIn({ format, knownSpans }: Zone, span: number): readonly Stretch[] {
  const known = knownSpans.get(span);
  if (known !== undefined) return known;
  const stretches = findStretches(format, span * SPAN_MS);
  if (knownSpans.size >= MOST_SPANS) knownSpans.clear();
  knownSpans.set(span, stretches);
  return stretches;
}

/**
 * Finds the stretches of the span that starts at the instant; the last is empty where it ends with
 * a change.
 */
function findStretches(format: Intl.DateTimeFormat, from: InstantMs): readonly Stretch[] {
  const to = from + SPAN_MS;
  const stretches: Stretch[] = [];
  let startsAt = from;
  let offsetMs = offsetAt(format, from);
  for (let before = from; before < to; before += STEP_MS) {
    const after = before + STEP_MS;
    if (offsetAt(format, after) === offsetMs) continue;
    const change = changeOfOffset(format, before, after);
    stretches.push({ startsAt, endsAt: change, offsetMs });
    startsAt = change;
    offsetMs = offsetAt(format, change);
  }
  return [...stretches, { startsAt, endsAt: to, offsetMs }];
}

/** The first instant with the offset that holds at `latest`, found by halving the range. */
function changeOfOffset(
  format: Intl.DateTimeFormat,
  earliest: InstantMs,
  latest: InstantMs,
): InstantMs {
  const offsetBefore = offsetAt(format, earliest);
  let before = earliest;
  let after = latest;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(format, middle) === offsetBefore) before = middle;
    else after = middle;
  }
  return after;
}

/** An offset as the runtime writes it: `GMT`, `GMT+05:45`, `GMT-00:44:30` (Liberia before 1972). */
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

function offsetAt(format: Intl.DateTimeFormat, instant: InstantMs): number {
  const found = present(OFFSET.exec(format.format(instant)), 'the offset to GMT of a zone');
  const [, sign, hours = 0, minutes = 0, seconds = 0] = found;
  const sizeMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -sizeMs : sizeMs;
}
