import type { Models } from '../asked-model.ts';
import { finerUsage, isOneUse } from '../finer-usage.ts';
import type { NativeUsage } from '../foreign/foreign-usage.ts';
import type { JsonObject } from '../foreign/foreign-value.ts';
import { isRepeatingId } from '../provider-name.ts';
import { areTwoAnswers } from './otlp-answers.ts';
import { areOfOneModel, askedModels } from './otlp-asked-models.ts';
import { hasFailed, keyInTrace, type OtlpSpan, responseIdOf } from './otlp-spans.ts';

/** How the spans of one request are treated once their nesting is known. */
export interface Reports {
  /** The model calls that count, with the operation of each. */
  readonly calls: ReadonlyMap<OtlpSpan, string>;
  /** Second reports of a call that another span of the request reports, too (R8), with what they repeat. */
  readonly duplicates: ReadonlyMap<OtlpSpan, RepeatedSpan>;
  /** The reports that are not kept, of each call that was reported more than once. */
  readonly otherReports: ReadonlyMap<OtlpSpan, readonly OtlpSpan[]>;
  /** The usage of calls that a dropped report counted more exactly than the kept one. */
  readonly finer: ReadonlyMap<OtlpSpan, NativeUsage>;
  /** The models of calls of which a report around the kept one says that another model was asked for. */
  readonly asked: ReadonlyMap<OtlpSpan, Models>;
  /** Spans around a call that are none, and from which it has counts or a model, with the call that they tell of. */
  readonly toldAround: ReadonlyMap<OtlpSpan, RepeatedSpan>;
  /** The spans of the request that enclose a span, the nearest first. */
  readonly enclosing: ReadonlyMap<OtlpSpan, readonly OtlpSpan[]>;
  /** Spans that enclose a call or lie in one: what they count, the call counts, too. */
  readonly aroundCalls: ReadonlySet<OtlpSpan>;
}

interface RepeatedSpan {
  /** The span whose report is kept. */
  readonly kept: OtlpSpan;
  readonly because: 'nested' | 'response';
}

/**
 * The number of ancestors among which a span looks for another report of its own call. Real nesting
 * is a handful of spans deep; the limit keeps a long or circular chain of parents from costing more
 * than the request is worth: ten thousand spans in a chain keep a third of a million of them.
 */
export const ANCESTOR_LIMIT = 32;

/** Decides which spans are model calls, and which of them tell of the same call as another one. */
export function findReports(spans: readonly OtlpSpan[]): Reports {
  const byKey = new Map(spans.map((span) => [keyInTrace(span.traceId, span.spanId), span]));
  const ancestors = new Map(spans.map((span) => [span, ancestorsOf(span, byKey)]));
  const calls = findCalls(spans, ancestors);
  const duplicates = new Map<OtlpSpan, OtlpSpan>();
  findNested(calls, ancestors, duplicates);
  const sums = findSums(calls, ancestors, duplicates);
  const nested = new Set(duplicates.keys());
  findSameResponse(calls, ancestors, duplicates);
  for (const duplicate of duplicates.keys()) calls.delete(duplicate);
  const otherReports = byKept(duplicates);
  const around = findAround(calls, ancestors, duplicates);
  const finer = finerUsages(otherReports, { sums, around });
  const asked = askedModels(calls.keys(), {
    ancestors,
    isReport: (outer, kept) =>
      around.get(outer) === kept ||
      (!sums.has(outer) && otherReports.get(kept)?.includes(outer) === true),
  });
  return {
    calls,
    duplicates: repetitions(otherReports, nested),
    otherReports,
    finer,
    asked,
    toldAround: new Map(
      [...around]
        .filter(([, kept]) => finer.has(kept) || asked.has(kept))
        .map(([outer, kept]) => [outer, { kept, because: 'nested' }]),
    ),
    enclosing: ancestors,
    aroundCalls: aroundCalls(calls, ancestors),
  };
}

/**
 * A span around one counted call that counts the same input and output tells of that call. With a second one
 * within it, in this message or another, the two would be parts of what it counts.
 */
function findAround(
  calls: ReadonlyMap<OtlpSpan, string>,
  ancestors: Ancestors,
  duplicates: ReadonlyMap<OtlpSpan, OtlpSpan>,
): Map<OtlpSpan, OtlpSpan> {
  const within = callsWithin([...calls.keys()].filter(hasCounts), ancestors, (outer) => {
    return outer.role.kind === 'usage' && !calls.has(outer) && !duplicates.has(outer);
  });
  const around = new Map<OtlpSpan, OtlpSpan>();
  for (const [outer, [call, ...others]] of within) {
    if (call === undefined || others.length > 0) continue;
    if (isOneUse(usageOf(call), usageOf(outer))) around.set(outer, call);
  }
  return around;
}

/** A span that sums several calls does not say what each of them used. */
function finerUsages(
  otherReports: Reports['otherReports'],
  of: {
    readonly sums: ReadonlySet<OtlpSpan>;
    readonly around: ReadonlyMap<OtlpSpan, OtlpSpan>;
  },
): Map<OtlpSpan, NativeUsage> {
  const finer = new Map<OtlpSpan, NativeUsage>();
  const take = (kept: OtlpSpan, other: OtlpSpan) => {
    const usage = finerUsage(finer.get(kept) ?? kept.used, other.used);
    if (usage !== null) finer.set(kept, usage);
  };
  for (const [kept, others] of otherReports) {
    for (const other of others) if (!of.sums.has(other)) take(kept, other);
  }
  for (const [outer, kept] of of.around) take(kept, outer);
  return finer;
}

function repetitions(
  otherReports: Reports['otherReports'],
  nested: ReadonlySet<OtlpSpan>,
): Map<OtlpSpan, RepeatedSpan> {
  const repeated = new Map<OtlpSpan, RepeatedSpan>();
  for (const [kept, others] of otherReports) {
    for (const other of others) {
      repeated.set(other, { kept, because: nested.has(other) ? 'nested' : 'response' });
    }
  }
  return repeated;
}

function aroundCalls(calls: ReadonlyMap<OtlpSpan, string>, ancestors: Ancestors): Set<OtlpSpan> {
  const around = new Set([...calls.keys()].flatMap((call) => ancestors.get(call) ?? []));
  for (const [span, enclosing] of ancestors) {
    if (enclosing.some((outer) => calls.has(outer))) around.add(span);
  }
  return around;
}

type Ancestors = ReadonlyMap<OtlpSpan, readonly OtlpSpan[]>;

function ancestorsOf(span: OtlpSpan, byKey: ReadonlyMap<string | null, OtlpSpan>): OtlpSpan[] {
  const found: OtlpSpan[] = [];
  let key = keyInTrace(span.traceId, span.parentSpanId);
  while (key !== null && found.length < ANCESTOR_LIMIT) {
    const parent = byKey.get(key);
    if (parent === undefined || parent === span) break;
    found.push(parent);
    key = keyInTrace(parent.traceId, parent.parentSpanId);
  }
  return found;
}

/**
 * A span that names no operation is a call only where none lies below it that answered, or where it alone counted
 * anything. The ledger decides alike of what comes in other messages (`isAroundCall`).
 */
function findCalls(spans: readonly OtlpSpan[], ancestors: Ancestors): Map<OtlpSpan, string> {
  const bearing = spans.filter(({ role }) => role.kind === 'call' || role.kind === 'usage');
  // What has no model, or failed, makes no charge that a span around it could repeat.
  const answers = bearing.filter((span) => span.model !== undefined && !hasFailed(span));
  const aroundOf = (inner: readonly OtlpSpan[]) =>
    new Set(inner.flatMap((span) => ancestors.get(span) ?? []));
  const [aroundAny, aroundCounts] = [aroundOf(answers), aroundOf(answers.filter(hasCounts))];
  const calls = new Map<OtlpSpan, string>();
  for (const span of bearing) {
    if (span.role.kind === 'call') calls.set(span, span.role.operation);
    else if (!(hasCounts(span) ? aroundCounts : aroundAny).has(span)) calls.set(span, 'chat');
  }
  return calls;
}

/**
 * One call reported by two libraries shows as two nested spans with the same counts; the inner stays, unless the outer
 * alone counted anything, or names a model.
 */
function findNested(
  calls: ReadonlyMap<OtlpSpan, string>,
  ancestors: Ancestors,
  duplicates: Map<OtlpSpan, OtlpSpan>,
): void {
  const results = new Map([...calls.keys()].map((span) => [span, resultOf(span)]));
  for (const inner of calls.keys()) {
    // A duplicate keeps nothing in its place; parents in a circle would else erase one another.
    if (duplicates.has(inner)) continue;
    const [parent] = ancestors.get(inner) ?? [];
    if (parent !== undefined && calls.has(parent) && isUncounted(inner, parent)) {
      if (!duplicates.has(parent)) duplicates.set(inner, parent);
      continue;
    }
    let isRightWithin = true;
    for (const outer of ancestors.get(inner) ?? []) {
      const same = isSameCall(results.get(outer), results.get(inner), isRightWithin);
      isRightWithin &&= calls.has(outer);
      if (!same || duplicates.has(outer)) continue;
      // What names no model could not be charged, and stands in the place of nothing that names one.
      if (inner.model !== undefined || outer.model === undefined) duplicates.set(outer, inner);
      else {
        duplicates.set(inner, outer);
        break;
      }
    }
  }
}

/** A span without any counts right below one that has them reports the same call, as that of a stream does. */
function isUncounted(inner: OtlpSpan, parent: OtlpSpan): boolean {
  return hasCounts(parent) && !hasCounts(inner) && hasFailed(parent) === hasFailed(inner);
}

/** Zeros count nothing, as a missing count does. */
function hasCounts(span: OtlpSpan): boolean {
  return Object.values(usageOf(span)).some((count) => count !== 0);
}

function usageOf({ used }: OtlpSpan): JsonObject {
  return used.usage ?? {};
}

interface Result {
  readonly isCounted: boolean;
  readonly input: number;
  readonly output: number;
  readonly failed: boolean;
  readonly span: OtlpSpan;
}

function resultOf(span: OtlpSpan): Result {
  return {
    isCounted: hasCounts(span),
    input: countIn(span, 'input_tokens'),
    output: countIn(span, 'output_tokens'),
    failed: hasFailed(span),
    span,
  };
}

/**
 * A span without any counts reports the call below it when both failed or both did not; that a failed attempt lies
 * below a successful span does not make them one. With counts it does where they agree, unless one report leaves out
 * just the reasoning that the other one counts, and where the two name no different answers. Right within a call, with
 * nothing but calls between, lies no tool that could have made another one.
 */
function isSameCall(
  outer: Result | undefined,
  inner: Result | undefined,
  isRightWithin: boolean,
): boolean {
  if (outer === undefined || inner === undefined) return false;
  if (!outer.isCounted) return outer.failed === inner.failed;
  // What failed within a call that succeeded is charged to nobody, and the call is.
  if (!outer.failed && inner.failed) return false;
  const agree = doCountsAgree(outer, inner) && !agreeByHalf(outer, inner);
  if (agree && isRightWithin && outer.input > 0 && outer.input === inner.input) return true;
  if (areTwoAnswers(outer.span, inner.span)) return false;
  return agree || isOneAnswer(outer, inner) || (isRightWithin && isOneOutput(outer, inner));
}

/** Libraries count the input of one call by themselves, or leave out what a tool of the provider brought into it. */
function isOneOutput(outer: Result, inner: Result): boolean {
  return outer.output > 0 && outer.output === inner.output && areOfOneModel(outer.span, inner.span);
}

/** Half of the counts of two models agree by chance more easily than all of them. */
function agreeByHalf(one: Result, other: Result): boolean {
  if (!one.input === !other.input && !one.output === !other.output) return false;
  return !areOfOneModel(one.span, other.span);
}

/** An outer span may lack a count, but none that both have differs: a call within a tool of another one is another call. */
function doCountsAgree(outer: Result, inner: Result): boolean {
  if (outer.output > 0) return outer.output === inner.output && doInputsAgree(outer, inner);
  if (outer.input > 0) return inner.input > 0 && doInputsAgree(outer, inner);
  return Object.keys(usageOf(outer.span)).every((name) => {
    const [one, other] = [countIn(outer.span, name), countIn(inner.span, name)];
    return one === other || one === 0 || other === 0;
  });
}

/** Equal inputs, one that is missing, or two of which one is without what was read from a cache or written to it. */
function doInputsAgree(one: Result, other: Result): boolean {
  const difference = Math.abs(one.input - other.input);
  if (difference === 0 || one.input === 0 || other.input === 0) return true;
  return [one.span, other.span].some((span) => {
    const [read, written] = [
      countIn(span, 'cache_read_tokens'),
      countIn(span, 'cache_write_tokens'),
    ];
    return [read, written, read + written].includes(difference);
  });
}

/** Different outputs are of one answer where one report leaves out parts of it, and either would be charged. */
function isOneAnswer(one: Result, other: Result): boolean {
  if (one.failed !== other.failed) return false;
  if (one.span.model === undefined || other.span.model === undefined) return false;
  return isOneUse(usageOf(one.span), usageOf(other.span));
}

/**
 * A span that encloses several calls and counts exactly what they count together repeats them, whatever
 * it is called; a single one that it encloses was compared before. Returns the spans that do.
 */
function findSums(
  calls: ReadonlyMap<OtlpSpan, string>,
  ancestors: Ancestors,
  duplicates: Map<OtlpSpan, OtlpSpan>,
): Set<OtlpSpan> {
  const sums = new Set<OtlpSpan>();
  const standing = [...calls.keys()].filter((call) => !duplicates.has(call));
  const within = callsWithin(standing, ancestors, (outer) => {
    return calls.has(outer) && !duplicates.has(outer);
  });
  for (const [outer, inners] of within) {
    const [first, ...others] = inners;
    if (first === undefined || others.length === 0 || duplicates.has(first)) continue;
    if (!isSumOf(outer, inners)) continue;
    duplicates.set(outer, first);
    sums.add(outer);
  }
  return sums;
}

/** Returns the calls that lie within each span of a kind. */
function callsWithin(
  calls: readonly OtlpSpan[],
  ancestors: Ancestors,
  isOfKind: (outer: OtlpSpan) => boolean,
): Map<OtlpSpan, OtlpSpan[]> {
  const within = new Map<OtlpSpan, OtlpSpan[]>();
  for (const inner of calls) {
    for (const outer of ancestors.get(inner) ?? []) {
      if (!isOfKind(outer)) continue;
      const others = within.get(outer);
      if (others === undefined) within.set(outer, [inner]);
      else others.push(inner);
    }
  }
  return within;
}

function isSumOf(outer: OtlpSpan, inners: readonly OtlpSpan[]): boolean {
  return ['input_tokens', 'output_tokens'].every((name) => {
    const whole = countIn(outer, name);
    return whole > 0 && whole === inners.reduce((sum, inner) => sum + countIn(inner, name), 0);
  });
}

function countIn({ used }: OtlpSpan, name: string): number {
  const count = used.usage?.[name];
  return typeof count === 'number' ? count : 0;
}

/**
 * The same response id in the same trace is the same call, however the spans lie, where what was measured
 * agrees. An id that a server gives to every response tells nothing.
 */
function findSameResponse(
  calls: ReadonlyMap<OtlpSpan, string>,
  ancestors: Ancestors,
  duplicates: Map<OtlpSpan, OtlpSpan>,
): void {
  const kept = new Map<string, OtlpSpan>();
  for (const span of calls.keys()) {
    const responseId = responseIdOf(span.attributes);
    const id = keyInTrace(span.traceId, responseId);
    if (id === null || duplicates.has(span) || isRepeatingId(String(responseId))) continue;
    // A report that failed takes the place of none that did not: only that one is charged.
    const key = `${id}:${hasFailed(span)}`;
    const earlier = kept.get(key);
    if (earlier === undefined) kept.set(key, span);
    else if (!isSameResponse(resultOf(earlier), resultOf(span))) continue;
    else if (ancestors.get(span)?.includes(earlier)) {
      duplicates.set(earlier, span);
      kept.set(key, span);
    } else duplicates.set(span, earlier);
  }
}

/** One side may lack what the other counts. */
function isSameResponse(one: Result, other: Result): boolean {
  if (one.output === 0 || other.output === 0) return true;
  return one.output === other.output || isOneAnswer(one, other);
}

/** What a span repeats may itself repeat another one: going backwards, what became of it is known by then. */
function byKept(duplicates: ReadonlyMap<OtlpSpan, OtlpSpan>): Map<OtlpSpan, OtlpSpan[]> {
  const lastKept = new Map<OtlpSpan, OtlpSpan>();
  const others = new Map<OtlpSpan, OtlpSpan[]>();
  for (const [duplicate, keptAtFirst] of [...duplicates].reverse()) {
    const kept = lastKept.get(keptAtFirst) ?? keptAtFirst;
    lastKept.set(duplicate, kept);
    const ofKept = others.get(kept);
    if (ofKept === undefined) others.set(kept, [duplicate]);
    else ofKept.push(duplicate);
  }
  return others;
}
