import { formatInstant, formatInstantOrNull } from '../clock.ts';
import type { Database } from '../database/database.ts';
import type { CloseRow } from '../ledger/closes/closed-periods-store.ts';
import { readCloses } from '../ledger/closes/closed-periods-store.ts';
import { linesOfEntry } from '../ledger/closes/line-of-entry.ts';
import { eachEntryNearLine } from '../ledger/closes/line-store.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import type { LineMeter, ManifestLine } from '../ledger/closes/manifest-lines.ts';
import { exactPico, formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { unitOfMeter } from '../units.ts';
import type {
  LineAnswer,
  LineEntry,
  LineRequest,
  LinesAnswer,
  LinesRequest,
} from './line-answer.ts';

/** Lists the lines of a closed period, each with the number by which it is asked for. */
export async function listLines(
  { database }: Pick<Parts, 'database'>,
  request: LinesRequest,
): Promise<LinesAnswer> {
  const { close, lines } = await readLines(database, request);
  return { tenant_id: close.tenantId, period_start: close.periodStart, lines };
}

/** Tells one line's entries. Throws a `Refusal` where the statement has no such line. */
export async function tellLine(
  { database }: Pick<Parts, 'database'>,
  request: LineRequest,
): Promise<LineAnswer> {
  const { close, lines } = await readLines(database, request);
  const line = lines[request.line - 1];
  if (line === undefined) {
    throw new Refusal(
      'not_found',
      `the statement of "${close.tenantId}" from ${close.periodStart} has no line ${request.line}`,
      advise`it has ${lines.length}; ${{ operation: 'audit line', tenant_id: close.tenantId, month: request.period }} lists them`,
    );
  }
  const catalog = await loadPriceCatalog(database.kysely);
  const listed: LineEntry[] = [];
  let entries = 0;
  let sum = 0n;
  const asked = { catalog, tenantId: close.tenantId, periodStart: close.periodStart, line };
  await eachEntryNearLine(database, asked, (entry) => {
    const part = linesOfEntry(entry.group, lines).find((own) => own.line === request.line);
    if (part === undefined) return;
    entries += 1;
    sum += exactPico(part.exact);
    if (listed.length >= request.limit) return;
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
      price_version: formatInstantOrNull(entry.chargeVersion),
    });
  });
  return {
    tenant_id: close.tenantId,
    period_start: close.periodStart,
    manifest_hash: close.manifestHash,
    currency: close.currency,
    line,
    rule: `${ruleOf(line.meter)}${line.late ? '; usage of an earlier, closed period' : ''}`,
    entries,
    exact_sum: isCarried(line.meter) ? line.exact : formatPico(sum),
    listed,
  };
}

interface ClosedLines {
  readonly close: CloseRow;
  readonly lines: readonly (ManifestLine & { readonly number: number })[];
}

async function readLines(database: Database, request: LinesRequest): Promise<ClosedLines> {
  const { tenant_id: tenantId, period } = request;
  await readTenant(database.kysely, tenantId);
  const month = period.slice(0, 7);
  const closes = (await readCloses(database, { month, tenantId })).filter((close) =>
    close.periodStart.startsWith(period),
  );
  const [close] = closes;
  if (close === undefined) {
    throw new Refusal(
      'too_early',
      `tenant "${tenantId}" has no closed period that begins in ${period}`,
      advise`close it first, with ${{ operation: 'close', month, tenant_id: tenantId }}`,
    );
  }
  if (closes.length > 1) {
    const starts = closes.map(({ periodStart }) => periodStart).join(' or ');
    throw new Refusal(
      'bad_request',
      `two periods of tenant "${tenantId}" begin in ${period}`,
      `give the day on which it begins: ${starts}`,
    );
  }
  const manifest: Manifest = JSON.parse(close.manifest);
  return { close, lines: manifest.lines.map((line, index) => ({ number: index + 1, ...line })) };
}

function isCarried(meter: LineMeter): boolean {
  return meter === 'carried_in' || meter === 'carried_out';
}

function ruleOf(meter: LineMeter): string {
  const unit = unitOfMeter(meter);
  if (unit === null || Object.hasOwn(RULES, meter)) return RULES[meter as keyof typeof RULES];
  return `${unit.words[1]}, at the rate that the book gives them or the unit that they fall back to`;
}

const RULES = {
  input: 'input that no cache held, at the input rate of the model requested',
  cache_read: 'input from a cache, at the rate that the book gives it',
  cache_write: 'input written to a cache, at the rate that the book gives it',
  output: 'output, reasoning included, at the output rate of the model requested',
  calls: 'a fee for each call, shared out where a call was split',
  allocation: 'a share of a pool',
  adjustment: 'money without a call behind it, with its reason',
  carried_in: 'what earlier periods left over; no entry of this period is behind it',
  carried_out: 'what is left over for the next period; no entry is behind it',
} as const;
