import type { Database } from '../../database/database.ts';
import { inTransaction } from '../../database/database.ts';
import { DEFAULT_ISSUER } from '../../issuer/issuer-answer.ts';
import { readIssuer } from '../../issuer/issuer-store.ts';
import type { CloseRow } from '../../ledger/closes/closed-periods-store.ts';
import type { Manifest } from '../../ledger/closes/manifest.ts';
import { exactPico, formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { loadPriceCatalog } from '../../rating/books/price-book-store.ts';
import type { PriceCatalog } from '../../rating/books/price-catalog.ts';
import { readExportedPeriods } from '../exported-periods.ts';
import type { FocusAnswer, FocusRequest } from './focus-answer.ts';
import { FOCUS_HEAD, focusLine } from './focus-columns.ts';
import { type CostedRow, type FocusStatement, roundingRows, rowsOfGroup } from './focus-rows.ts';
import { eachFocusGroup, readInvoiceIds } from './focus-store.ts';

/** Takes the pieces of the file, in their order. */
export type WritePiece = (piece: string) => Promise<void> | void;

/**
 * Writes the closed periods of a month as FOCUS 1.3: a row for each day, unit, price and set of tags, and those that
 * take the exact sum to the total. A period in shadow is billed to nobody, so it has no row. Every statement's rows
 * come to its total, or the export throws: a cost report that differs from the invoice is worse than none.
 */
export async function exportFocus(
  { database }: Pick<Parts, 'database'>,
  request: FocusRequest,
  write: WritePiece,
): Promise<FocusAnswer> {
  const { month, tenant_id: tenantId } = request;
  const { closes, skipped } = await readExportedPeriods(database, { month, tenantId });
  const issuer = request.issuer ?? (await readIssuer(database)).name ?? DEFAULT_ISSUER;
  const catalog = await loadPriceCatalog(database.kysely);
  const invoices = await readInvoiceIds(database, closes);
  await write(FOCUS_HEAD);
  const statements: FocusAnswer['statements'][number][] = [];
  for (const close of closes) {
    const manifest = JSON.parse(close.manifest) as Manifest;
    const invoiceId = invoices.get(`${close.tenantId} ${close.periodStart}`) ?? null;
    const pieces = await linesOfClose(database, { close, manifest, issuer, invoiceId, catalog });
    for (const piece of pieces) await write(piece);
    statements.push({
      tenant_id: close.tenantId,
      period_start: close.periodStart,
      currency: close.currency,
      billed: manifest.charge_total,
      rows: pieces.length,
    });
  }
  const rows = statements.reduce((all, statement) => all + statement.rows, 0);
  return { rows, statements, skipped };
}

/** Returns the lines of one statement; one statement at a time is in memory. */
async function linesOfClose(
  database: Database,
  of: FocusStatement & { readonly close: CloseRow; readonly catalog: PriceCatalog },
): Promise<readonly string[]> {
  const { close, catalog, manifest } = of;
  const lines: string[] = [];
  let billed = 0n;
  const take = (rows: readonly CostedRow[]) => {
    for (const row of rows) {
      billed += row.billed;
      lines.push(focusLine(row.row));
    }
  };
  const asked = { period: close, timeZone: manifest.time_zone, catalog };
  await inTransaction(database, (transaction) =>
    eachFocusGroup(transaction, asked, (group) => take(rowsOfGroup(group, of))),
  );
  take(roundingRows(of));
  if (billed !== exactPico(manifest.charge_total)) {
    throw new Error(
      `the entries of "${close.tenantId}" from ${close.periodStart} come to ${formatPico(billed)}, and its statement to ${manifest.charge_total}; verify the ledger`,
    );
  }
  return lines;
}
