import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import { cutPage, readCursor } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import type {
  QuarantineAnswer,
  QuarantinedAnswer,
  QuarantinedRequest,
  QuarantinePageAnswer,
  QuarantinePageRequest,
  QuarantineRequest,
} from './quarantine-answer.ts';
import type { QuarantineRow } from './quarantine-store.ts';
import {
  countQuarantined,
  listQuarantined,
  readQuarantined,
  surveyQuarantined,
} from './quarantine-store.ts';

/** Lists what waits, oldest first; with `all`, what was replayed, too. */
export async function listQuarantine(
  { database }: Pick<Parts, 'database'>,
  request: QuarantineRequest,
): Promise<QuarantineAnswer> {
  return (await listQuarantined(database, request)).map(tellQuarantined);
}

/** Lists some of what waits, oldest first: the bodies of all of it may be more than a process can hold. */
export async function pageQuarantine(
  { database }: Pick<Parts, 'database'>,
  { all, limit, cursor }: QuarantinePageRequest,
): Promise<QuarantinePageAnswer> {
  const [after = null] = readCursor(cursor, ['number']) ?? [];
  const from = after === null ? null : BigInt(after);
  const found = await listQuarantined(database, { all, limit: limit + 1, after: from });
  const { rows, next } = cutPage(found, limit, (row) => [String(row.quarantine_id)]);
  return { quarantine: rows.map(tellQuarantined), next_cursor: next };
}

/** What a page shows of the quarantine: some events without their bodies, and how many there are of each reason. */
export interface QuarantineSurvey {
  readonly rows: readonly Omit<QuarantinedAnswer, 'body'>[];
  readonly reasons: readonly { readonly reason: string; readonly events: number }[];
}

/** Surveys what waits, oldest first; with `all`, what was replayed, too. */
export async function surveyQuarantine(
  { database }: Pick<Parts, 'database'>,
  of: { readonly all: boolean; readonly reason: string | null; readonly limit: number },
): Promise<QuarantineSurvey> {
  const rows = await surveyQuarantined(database, of);
  const reasons = await countQuarantined(database, of.all);
  return {
    rows: rows.map(tellQuarantined),
    reasons: reasons.map(({ reason, events }) => ({ reason, events: Number(events) })),
  };
}

/**
 * Shows one quarantined event, with its reason and its body; throws a `Refusal` where there is
 * none.
 */
export async function showQuarantined(
  { database }: Pick<Parts, 'database'>,
  { quarantine_id }: QuarantinedRequest,
): Promise<QuarantinedAnswer> {
  return tellQuarantined(await readQuarantined(database, quarantine_id));
}

function tellQuarantined<Row extends Omit<QuarantineRow, 'body'>>(row: Row) {
  return {
    ...row,
    quarantine_id: String(row.quarantine_id),
    received_at: formatInstant(row.received_at),
    replayed_at: formatInstantOrNull(row.replayed_at),
    dismissed_at: formatInstantOrNull(row.dismissed_at),
    purged_at: formatInstantOrNull(row.purged_at),
  };
}
