import type { Transaction } from '../../database/database.ts';
import { modelsAskedFor } from '../../events/asked-model.ts';
import { finerUsage, isOneUse } from '../../events/finer-usage.ts';
import { isCount } from '../../events/foreign/foreign-count.ts';
import type { NativeUsage } from '../../events/foreign/foreign-usage.ts';
import { UNEXPLAINED_TOKENS } from '../../events/foreign/translation.ts';
import { readUsage, usageSchema, writeUsage } from '../../events/usage-fields.ts';
import type { StoredEntry } from '../entries/entry.ts';
import { type EventKey, eventText } from '../entries/event-keys.ts';
import { isChargedOnFirst } from '../posting/attempts.ts';
import { isFiner, reportedCounts, reportedModels, saysAnother } from '../posting/finer-report.ts';
import { isWithin, reportOfEntry } from '../posting/same-call.ts';
import type { EntryChange } from '../reversals/correction.ts';
import { readKeptOf, readRevisionsOfEvents } from './reports-beside-store.ts';

/** A second report of a call, and the report that stands in its place. */
export interface Repeated {
  readonly report: StoredEntry;
  readonly repeats: StoredEntry;
  /** All calls within a span that is none: it says what one of them used, where that is the only one (R1). */
  readonly within?: readonly StoredEntry[];
}

/** A call of which other reports of its trace say more than the one that is kept. */
export interface FinerCall {
  readonly entry: StoredEntry;
  readonly change: EntryChange;
  readonly countedBy: readonly StoredEntry[];
  /** The reports around it that say which model was asked for; none where the call itself said so. */
  readonly askedBy: readonly StoredEntry[];
}

/**
 * Finds the calls that are to be charged by the counts of a second report, or on the model that it asked for, as they
 * are where both come in one message (R4, R5, R8). A report may repeat one that repeats another itself: what they say
 * is of the call that is kept in the end, as it stands by now. Counts and models that a person corrected stay.
 */
export async function findFinerCalls(
  transaction: Transaction,
  reports: readonly Repeated[],
): Promise<readonly FinerCall[]> {
  const told = reports.map(({ report, repeats, within }) => ({
    report,
    isAround: within !== undefined,
    isOuter: isWithin(reportOfEntry(repeats), reportOfEntry(report)),
    calls: within ?? [repeats],
  }));
  const finer = told.filter(({ report, calls, isAround, isOuter }) =>
    calls.some((call) => {
      const [other, kept] = [reportOfEntry(report), reportOfEntry(call)];
      if (isFiner(other, kept)) return true;
      return (isAround || isOuter) && isCertain(report) && saysAnother(other, kept);
    }),
  );
  if (finer.length === 0) return [];
  const kept = await readKeptOf(
    transaction,
    finer.flatMap(({ calls }) => calls),
  );
  const byCall = new Map<string, Told>();
  let place = 0;
  for (const { calls, ...other } of finer) {
    const ofReport = kept.slice(place, place + calls.length);
    place += calls.length;
    const [call, ...others] = new Map(ofReport.map((event) => [eventText(event), event])).values();
    if (call === undefined || others.length > 0) continue;
    const of = byCall.get(eventText(call));
    byCall.set(eventText(call), { call, others: [...(of?.others ?? []), other] });
  }
  const calls = [...byCall.values()];
  const revisions = await readRevisionsOfEvents(
    transaction,
    calls.map(({ call }) => call),
  );
  return calls.flatMap(({ others }, index) => finerCallOf(revisions[index] ?? [], others) ?? []);
}

/** What other reports say of a call. */
interface Told {
  readonly call: EventKey;
  readonly others: readonly OtherReport[];
}

interface OtherReport {
  readonly report: StoredEntry;
  /** It names no operation, and lies around one call or several. */
  readonly isAround: boolean;
  /** What it repeats lies right within it, but for steps of the structure. */
  readonly isOuter: boolean;
}

/** The program that joins the reports of a call; no person's name. */
export const REPORT_JOINER = 'spanledger:reports';

/** Tells whether nobody but the reports themselves changed a fact of a call. */
function isAsReported(
  revisions: readonly StoredEntry[],
  factOf: (entry: StoredEntry) => string,
): boolean {
  const facts = revisions.map(factOf);
  const last = facts.findLastIndex((fact, place) => place > 0 && fact !== facts[place - 1]);
  return last < 0 || revisions[last]?.actor === REPORT_JOINER;
}

/** Returns null where nothing stands of the call, or where nothing is to be changed of it. */
function finerCallOf(
  revisions: readonly StoredEntry[],
  others: readonly OtherReport[],
): FinerCall | null {
  const entry = revisions.at(-1);
  if (entry === undefined || entry.status !== 'ok') return null;
  const isCounted = isAsReported(revisions, (one) =>
    JSON.stringify(reportedCounts(reportOfEntry(one)).usage),
  );
  const isAsked = isAsReported(revisions, ({ requestedModel }) => requestedModel);
  const counts = isCounted ? finerCounts(entry, others) : NOTHING_MORE;
  const model = isAsked && !isChargedOnFirst(entry) ? askedModel(entry, others) : NOTHING_MORE;
  const change = { ...counts.change, ...model.change };
  if (Object.keys(change).length === 0) return null;
  return { entry, change, countedBy: counts.saidBy, askedBy: model.saidBy };
}

/** What of a call other reports change, and which of them do. */
interface SaidMore {
  readonly change: EntryChange;
  readonly saidBy: readonly StoredEntry[];
}

const NOTHING_MORE: SaidMore = { change: {}, saidBy: [] };

function finerCounts(entry: StoredEntry, others: readonly OtherReport[]): SaidMore {
  let used = usedBy(entry);
  const saidBy: StoredEntry[] = [];
  for (const { report, isAround } of others) {
    const given = usedBy(report);
    if (isAround && !isOneUse(used.usage ?? {}, given.usage ?? {})) continue;
    const finer = finerUsage(used, given);
    if (finer === null) continue;
    used = finer;
    saidBy.push(report);
  }
  return saidBy.length === 0 ? NOTHING_MORE : { change: changeOf(entry, used), saidBy };
}

/** Of several reports around a call the outermost one says what was asked for, as far as it says anything. */
function askedModel(entry: StoredEntry, others: readonly OtherReport[]): SaidMore {
  const own = reportedModels(entry);
  let [models, saidBy] = [own, NOTHING_MORE.saidBy];
  const outwards = others.toSorted((one, other) => begunAt(other.report) - begunAt(one.report));
  for (const { report, isAround, isOuter } of outwards) {
    const isOneCall = isAround
      ? isOneUse(usedBy(entry).usage ?? {}, usedBy(report).usage ?? {})
      : isOuter;
    const asked =
      isOneCall && isCertain(report) ? modelsAskedFor(models, reportedModels(report)) : null;
    if (asked !== null) [models, saidBy] = [asked, [report]];
  }
  if (models.requested === own.requested) return NOTHING_MORE;
  return { change: { requestedModel: models.requested }, saidBy };
}

/**
 * Tells whether the model of a report was asked for, as far as its entry shows. A single name may be no more than that
 * of the deployment which answered: it takes no call's place that has a price unless it has one, too.
 */
function isCertain({ requestedModel, executedModel, outcome }: StoredEntry): boolean {
  return requestedModel !== executedModel || outcome !== 'unrated';
}

function begunAt({ startedAt, occurredAt }: StoredEntry): number {
  return startedAt ?? occurredAt;
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
