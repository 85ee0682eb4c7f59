import type { Transaction } from '../../database/database.ts';
import { finerUsage, isOneUse } from '../../events/finer-usage.ts';
import { isCount } from '../../events/foreign/foreign-count.ts';
import type { NativeUsage } from '../../events/foreign/foreign-usage.ts';
import { UNEXPLAINED_TOKENS } from '../../events/foreign/translation.ts';
import { readUsage, usageSchema, writeUsage } from '../../events/usage-fields.ts';
import type { EntryChange } from '../corrections/correction.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { type EventKey, eventText } from '../entries/event-keys.ts';
import { readKeptOf, readRevisionsOfEvents } from './report-store.ts';
import type { CallReport } from './same-call.ts';
import { reportOfEntry } from './same-call.ts';

/** A second report of a call, and the report that stands in its place. */
export interface Repeated {
  readonly report: StoredEntry;
  readonly repeats: StoredEntry;
  /** All calls within a span that is none: it says what one of them used, where that is the only one (R1). */
  readonly within?: readonly StoredEntry[];
}

/** A call that other reports of its trace count more exactly, as they count it. */
export interface FinerCall {
  readonly entry: StoredEntry;
  readonly change: EntryChange;
  readonly countedBy: readonly StoredEntry[];
}

/**
 * Tells whether another report of a call counts it more exactly than the one that is kept. Only spans of one trace do:
 * what a gateway and an application say of one answer is read by different tables.
 */
export function isFiner(other: CallReport, kept: CallReport): boolean {
  if (other.traceId === null || other.traceId !== kept.traceId) return false;
  if (other.memberId !== '' || kept.memberId !== '') return false;
  return finerUsage(counted(kept), counted(other)) !== null;
}

/**
 * Finds the calls that are to be charged by the counts of a second report, as they are where both come in one message
 * (R5, R8). A report may repeat one that repeats another itself: the counts are those of the call that is kept in
 * the end, as it stands by now. Counts that a person corrected stay.
 */
export async function findFinerCalls(
  transaction: Transaction,
  reports: readonly Repeated[],
): Promise<readonly FinerCall[]> {
  const told = reports.map(({ report, repeats, within }) => ({
    report,
    isAround: within !== undefined,
    calls: within ?? [repeats],
  }));
  const finer = told.filter(({ report, calls }) =>
    calls.some((call) => isFiner(reportOfEntry(report), reportOfEntry(call))),
  );
  if (finer.length === 0) return [];
  const kept = await readKeptOf(
    transaction,
    finer.flatMap(({ calls }) => calls),
  );
  const byCall = new Map<string, Told>();
  let place = 0;
  for (const { report, isAround, calls } of finer) {
    const ofReport = kept.slice(place, place + calls.length);
    place += calls.length;
    const [call, ...others] = new Map(ofReport.map((event) => [eventText(event), event])).values();
    if (call === undefined || others.length > 0) continue;
    const of = byCall.get(eventText(call));
    byCall.set(eventText(call), { call, others: [...(of?.others ?? []), { report, isAround }] });
  }
  const calls = [...byCall.values()];
  const revisions = await readRevisionsOfEvents(
    transaction,
    calls.map(({ call }) => call),
  );
  return calls.flatMap(({ others }, index) => {
    const entry = reportedStill(revisions[index] ?? []);
    return entry === null ? [] : (finerCallOf(entry, others) ?? []);
  });
}

/** What other reports say of a call. */
interface Told {
  readonly call: EventKey;
  readonly others: readonly OtherReport[];
}

interface OtherReport {
  readonly report: StoredEntry;
  readonly isAround: boolean;
}

/** Returns what stands of a call, null where that is nothing, or where a person corrected what was counted. */
function reportedStill(revisions: readonly StoredEntry[]): StoredEntry | null {
  const standing = revisions.at(-1);
  if (standing === undefined || standing.status !== 'ok') return null;
  const counts = revisions.map((entry) => JSON.stringify(counted(reportOfEntry(entry)).usage));
  const last = counts.findLastIndex((one, place) => place > 0 && one !== counts[place - 1]);
  return last < 0 || revisions[last]?.actor === REPORT_JOINER ? standing : null;
}

/** The program that joins the reports of a call; no person's name. */
export const REPORT_JOINER = 'spanledger:reports';

function finerCallOf(entry: StoredEntry, others: readonly OtherReport[]): FinerCall | null {
  let used = usedBy(entry);
  const countedBy: StoredEntry[] = [];
  for (const { report, isAround } of others) {
    const given = usedBy(report);
    if (isAround && !isOneUse(used.usage ?? {}, given.usage ?? {})) continue;
    const finer = finerUsage(used, given);
    if (finer === null) continue;
    used = finer;
    countedBy.push(report);
  }
  return countedBy.length === 0 ? null : { entry, change: changeOf(entry, used), countedBy };
}

function counted({ usage }: Pick<CallReport, 'usage'>): NativeUsage {
  return { usage: writeUsage(usage), assumed: false, unexplained: 0 };
}

function usedBy(entry: StoredEntry): NativeUsage {
  const unexplained = Number(entry.furtherTags[UNEXPLAINED_TOKENS] ?? 0);
  return {
    usage: writeUsage(reportOfEntry(entry).usage),
    assumed: entry.usageSource === 'assumed',
    unexplained: isCount(unexplained) ? unexplained : 0,
  };
}

function changeOf(entry: StoredEntry, used: NativeUsage): EntryChange {
  const counts = readUsage(usageSchema.parse(used.usage));
  const { [UNEXPLAINED_TOKENS]: _, ...tags } = entry.furtherTags;
  const isAssumed = used.assumed || used.unexplained > 0;
  return {
    uncachedInputTokens: counts.uncachedInput,
    cacheReadTokens: counts.cacheRead,
    cacheWriteTokens: counts.cacheWrite,
    outputTokens: counts.output,
    reasoningTokens: counts.reasoning,
    units: counts.units ?? {},
    usageSource: isAssumed ? 'assumed' : 'reported',
    furtherTags:
      used.unexplained > 0 ? { ...tags, [UNEXPLAINED_TOKENS]: String(used.unexplained) } : tags,
  };
}
