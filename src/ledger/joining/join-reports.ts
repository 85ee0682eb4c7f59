import type { InstantMs } from '../../clock.ts';
import type { Transaction } from '../../database/database.ts';
import { isMeasured } from '../../events/event.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import { nameOneModel } from '../posting/finer-report.ts';
import { insertSecondReports } from '../posting/other-reports-store.ts';
import { postOwnEntries } from '../posting/own-entries.ts';
import { lockForPosting } from '../posting/posting-store.ts';
import { ReferenceCache } from '../posting/reference-cache.ts';
import type { Tie } from '../posting/same-call.ts';
import {
  compareReports,
  isAroundCall,
  isKept,
  isSumOf,
  reportOfEntry,
} from '../posting/same-call.ts';
import { correct, postedEntriesOf } from '../reversals/made-correction.ts';
import type { AnsweredAround } from './answered-store.ts';
import { readAnsweredAround } from './answered-store.ts';
import type { FinerCall, Repeated } from './finer-counts.ts';
import { findFinerCalls, REPORT_JOINER } from './finer-counts.ts';
import type { Held } from './held-store.ts';
import type { SpansWithin } from './reports-beside-store.ts';
import { readReportsBeside, readStandingParts } from './reports-beside-store.ts';
import type { UnnamedWithin } from './unnamed-store.ts';
import { readUnnamedSpans } from './unnamed-store.ts';

/**
 * Takes back, by correction, what turned out to be a second report of a call (R8): reports that two
 * batches or workers brought apart, and one without a tenant whose tenant another report knew. Where it counts the call
 * more exactly than the one that stands, that one has its counts from then on. Whichever of the batches is folded second
 * sees both.
 */
export async function joinReports(
  transaction: Transaction,
  batchIds: readonly bigint[],
  { held, at }: { readonly held: Held; readonly at: InstantMs },
): Promise<void> {
  const { pairs, within } = await readReportsBeside(transaction, batchIds, held);
  const answered = held.bareSpans ? await readAnsweredAround(transaction, batchIds) : [];
  const seconds = new Map<bigint, Second>();
  const unnamed = held.unnamedSpans ? await readUnnamedSpans(transaction, batchIds) : [];
  for (const { outer, inner } of unnamed) {
    const around = aroundCall(outer, asMoved(inner));
    if (around !== null) seconds.set(outer.entryId, around);
  }
  // What is no call itself stands in no other's place.
  const wrappers = new Set(seconds.keys());
  const told = [
    ...pairs.map(secondOf),
    ...within.flatMap(secondsWithin),
    ...answered.map(secondAround),
    ...within.map(sumOf),
  ];
  for (const second of told) {
    if (second === null || wrappers.has(second.repeats.entryId)) continue;
    if (!seconds.has(second.report.entryId)) seconds.set(second.report.entryId, second);
  }
  if (seconds.size === 0) return;
  const found = [...seconds.values()];
  await insertSecondReports(transaction, found, at);
  const byPart = new Map(found.map((second) => [partOf(second.report), second]));
  const standing = await readStandingParts(
    transaction,
    found.map(({ report }) => report),
  );
  const stillBy = new Map(standing.map((entry) => [partOf(entry), entry]));
  const ofOneCall = found.filter(({ isSum }) => !isSum);
  const finer = await findFinerCalls(
    transaction,
    ofOneCall.map((second) => ({
      ...second,
      report: stillBy.get(partOf(second.report)) ?? second.report,
    })),
  );
  if (standing.length + finer.length === 0) return;
  await lockForPosting(transaction);
  const cache = new ReferenceCache();
  const concerned = [...standing, ...finer.map(({ entry }) => entry)];
  await cache.refresh(transaction, new Set(concerned.map(({ tenantId }) => tenantId)), at);
  const reversals = standing.flatMap((entry) => {
    const second = byPart.get(partOf(entry));
    if (second === undefined) return [];
    const note = { reason: reasonOf(second), actor: REPORT_JOINER };
    return [correct(cache, entry, { change: null, note }).reversal];
  });
  const entries = [...reversals, ...finer.flatMap((call) => countedAnew(cache, call))];
  await postOwnEntries(transaction, entries, { kind: 'correction', cache, recordedAt: at });
}

function countedAnew(
  cache: ReferenceCache,
  { entry, change, countedBy, askedBy }: FinerCall,
): readonly NewEntry[] {
  const reports = (said: readonly StoredEntry[]) =>
    said.map(({ eventId, source }) => `event ${eventId} of source ${source}`).join(', ');
  const counted = `a second report of the call counts it more exactly: ${reports(countedBy)}`;
  const asked = `a report around the call says which model was asked for: ${reports(askedBy)}`;
  const reason = [
    ...(countedBy.length > 0 ? [counted] : []),
    ...(askedBy.length > 0 ? [asked] : []),
  ].join('; ');
  const made = correct(cache, entry, { change, note: { reason, actor: REPORT_JOINER } });
  // What was billed in a currency in which the tenant no longer pays stays as it was billed.
  return made.paysNow === null ? postedEntriesOf(made) : [];
}

/** Returns each call once: one that was moved to another tenant, in the order of the ids, as it came to stand there. */
function asMoved(calls: readonly StoredEntry[]): readonly StoredEntry[] {
  const byReport = calls.map((call) => {
    const { source, eventId, memberId, eventDigest } = call;
    return [[source, eventId, memberId, eventDigest.toString('hex')].join('\u0000'), call] as const;
  });
  return [...new Map(byReport).values()];
}

interface Second extends Repeated {
  readonly tie: Tie;
  /** A span that sums several calls does not say what each of them used. */
  readonly isSum?: true;
}

function aroundCall(outer: StoredEntry, inner: UnnamedWithin['inner']): Second | null {
  const call = inner.find((one) => isAroundCall(reportOfEntry(outer), reportOfEntry(one)));
  if (call === undefined) return null;
  const within = inner.filter((one) => one.status === 'ok' && isMeasured(reportOfEntry(one).usage));
  return { report: outer, repeats: call, tie: 'nested', within };
}

function secondOf([earlier, later]: readonly [StoredEntry, StoredEntry]): Second | null {
  const [one, other] = [reportOfEntry(earlier), reportOfEntry(later)];
  const comparison = compareReports(one, other);
  if (comparison?.kind !== 'same') return null;
  const { tie } = comparison;
  return isKept(one, other, tie)
    ? { report: later, repeats: earlier, tie }
    : { report: earlier, repeats: later, tie };
}

/**
 * Steps of the structure between two spans of one call are seen past; a call that counted nothing is no report of
 * one that lies so far around it.
 */
function secondsWithin({ outer, inner }: SpansWithin): readonly (Second | null)[] {
  return inner
    .filter(({ entry, steps }) => steps > 0 && isMeasured(reportOfEntry(entry).usage))
    .map(({ entry }) => secondNested(outer, entry));
}

/** A span that names its answer is no mere wrapper: past steps of the structure it reports a call of its own model alone. */
function secondAround({ outer, inner, steps }: AnsweredAround): Second | null {
  const isRightWithin = steps === 0;
  const isOneCall = isMeasured(reportOfEntry(inner).usage) && nameOneModel(outer, inner);
  return isRightWithin || isOneCall ? secondNested(outer, inner) : null;
}

function secondNested(outer: StoredEntry, inner: StoredEntry): Second | null {
  const within = { ...inner, parentSpanId: outer.spanId };
  const [first, last] = outer.entryId < inner.entryId ? [outer, within] : [within, outer];
  return secondOf([first, last]);
}

/** A span that counts what several calls within it count together repeats them (R1), and is one of no call. */
function sumOf({ outer, inner }: SpansWithin): Second | null {
  const calls = inner.map(({ entry }) => entry);
  const [first] = calls;
  if (first === undefined || !isSumOf(reportOfEntry(outer), calls.map(reportOfEntry))) return null;
  return { report: outer, repeats: first, tie: 'nested', isSum: true };
}

function partOf({ tenantId, source, eventId, memberId }: StoredEntry): string {
  return [tenantId, source, eventId, memberId].join('\u0000');
}

const TIES: Readonly<Record<Tie, string>> = {
  response: 'the same response of the provider',
  call: 'the same call of the gateway',
  nested: 'a span of the same call, one within the other',
};

function reasonOf({ repeats, tie, within }: Second): string {
  if (within !== undefined) {
    return `no call: the span names no operation, and event ${repeats.eventId} of source ${repeats.source} is a call within it`;
  }
  return `a second report of one call: event ${repeats.eventId} of source ${repeats.source} is ${TIES[tie]}`;
}
