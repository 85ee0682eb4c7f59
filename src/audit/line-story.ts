import { formatInstant } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { CloseRow } from '../ledger/closes/close-store.ts';
import { readCloses } from '../ledger/closes/close-store.ts';
import type { Manifest, ManifestLine, Meter } from '../ledger/closes/manifest.ts';
import { linesOfEntry } from '../ledger/entries/line-of-entry.ts';
import { eachEntryNearLine } from '../ledger/entries/line-store.ts';
import { formatPico, parseDecimal } from '../money.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';

/** A statement's line with the entries behind it; amounts are exact decimal strings. */
export interface LineStory {
  readonly tenant_id: string;
  readonly period_start: string;
  readonly manifest_hash: string;
  readonly currency: string;
  readonly line: ManifestLine & { readonly number: number };
  /** The rule by which the line is what it is. */
  readonly rule: string;
  /** How many entries stand in the line, and what their parts sum to: the line's exact amount. */
  readonly entries: number;
  readonly exact_sum: string;
  /** The first of them, as many as were asked for. */
  readonly listed: readonly LineStoryEntry[];
}

export interface LineStoryEntry {
  readonly entry_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly member_id: string | null;
  readonly occurred_at: string;
  readonly kind: string;
  readonly quantity: string;
  readonly exact: string;
  readonly price_book: string | null;
  readonly price_version: string | null;
}

/** The lines of a closed period, each with the number by which it is asked for. */
export async function readLines(
  database: Database,
  of: { readonly tenantId: string; readonly period: string },
): Promise<{ readonly close: CloseRow; readonly lines: readonly LineStory['line'][] }> {
  const month = of.period.slice(0, 7);
  const closes = (await readCloses(database, { month, tenantId: of.tenantId })).filter((close) =>
    close.periodStart.startsWith(of.period),
  );
  const [close] = closes;
  if (close === undefined) {
    throw new Refusal(
      'too_early',
      `tenant "${of.tenantId}" has no closed period that begins in ${of.period}`,
      advise`close it first, with ${{ operation: 'close', month, tenantId: of.tenantId }}`,
    );
  }
  if (closes.length > 1) {
    const starts = closes.map(({ periodStart }) => periodStart).join(' or ');
    throw new Refusal(
      'bad_request',
      `two periods of tenant "${of.tenantId}" begin in ${of.period}`,
      `give the day on which it begins: ${starts}`,
    );
  }
  const manifest: Manifest = JSON.parse(close.manifest);
  return { close, lines: manifest.lines.map((line, index) => ({ number: index + 1, ...line })) };
}

/** One line's entries. Throws a `Refusal` where the statement has no such line. */
export async function readLineStory(
  database: Database,
  of: {
    readonly tenantId: string;
    readonly period: string;
    readonly number: number;
    readonly limit: number;
  },
): Promise<LineStory> {
  const { close, lines } = await readLines(database, of);
  const line = lines[of.number - 1];
  if (line === undefined) {
    throw new Refusal(
      'not_found',
      `the statement of "${of.tenantId}" from ${close.periodStart} has no line ${of.number}`,
      advise`it has ${lines.length}; ${{ operation: 'audit line', tenantId: of.tenantId, month: of.period }} lists them`,
    );
  }
  const catalog = await loadPriceCatalog(database.kysely);
  const listed: LineStoryEntry[] = [];
  let entries = 0;
  let sum = 0n;
  const asked = { catalog, tenantId: close.tenantId, periodStart: close.periodStart, line };
  await eachEntryNearLine(database, asked, (entry) => {
    const part = linesOfEntry(entry.group, lines).find((own) => own.line === of.number);
    if (part === undefined) return;
    entries += 1;
    sum += parseDecimal(part.exact, 12) ?? 0n;
    if (listed.length >= of.limit) return;
    listed.push({
      entry_id: `ent_${entry.entryId}`,
      source: entry.source,
      event_id: entry.eventId,
      member_id: entry.memberId === '' ? null : entry.memberId,
      occurred_at: formatInstant(entry.occurredAt),
      kind: entry.group.kind,
      quantity: part.quantity,
      exact: part.exact,
      price_book: entry.chargeBook,
      price_version: entry.chargeVersion === null ? null : formatInstant(entry.chargeVersion),
    });
  });
  return {
    tenant_id: close.tenantId,
    period_start: close.periodStart,
    manifest_hash: close.manifestHash,
    currency: close.currency,
    line,
    rule: `${RULES[line.meter]}${line.late ? '; usage of an earlier, closed period' : ''}`,
    entries,
    exact_sum: isCarried(line.meter) ? line.exact : formatPico(sum),
    listed,
  };
}

function isCarried(meter: Meter): boolean {
  return meter === 'carried_in' || meter === 'carried_out';
}

const RULES: Readonly<Record<Meter, string>> = {
  input: 'input that no cache held, at the input rate of the model requested',
  cache_read: 'input from a cache, at the rate that the book gives it',
  cache_write: 'input written to a cache, at the rate that the book gives it',
  output: 'output, reasoning included, at the output rate of the model requested',
  calls: 'a fee for each call, shared out where a call was split',
  allocation: 'a share of a pool',
  carried_in: 'what the period before left over; no entry of this period is behind it',
  carried_out: 'what is left over for the next period; no entry is behind it',
};
