import type { Manifest } from '../ledger/closes/manifest.ts';
import { formatMinor } from '../money.ts';
import type { StatementDocument } from './statement-answer.ts';

/** A statement before its days and its corrections are laid beside it. */
export type Statement = Omit<StatementDocument, 'daily' | 'corrections'>;

/** Builds the statement of a closed period from its manifest alone. Pure. */
export function buildStatement(close: {
  readonly manifest: Manifest;
  readonly manifestHash: string;
  readonly closedAt: string;
  readonly mode: 'shadow' | 'live';
}): Statement {
  const { manifest, mode } = close;
  const byOutcome = manifest.calls ?? manifest.outcomes;
  const failed = byOutcome['failed'] ?? 0;
  const cancelled = byOutcome['cancelled'] ?? 0;
  return {
    format: 'spanledger-statement-1',
    tenant_id: manifest.tenant_id,
    period: {
      start: manifest.period_start,
      starts_at: manifest.starts_at,
      ends_at: manifest.ends_at,
      time_zone: manifest.time_zone,
    },
    currency: manifest.currency,
    total: manifest.charge_total,
    mode,
    due: mode === 'live' ? manifest.charge_total : formatMinor(0n, manifest.currency),
    lines: manifest.lines.filter((line) => !line.late),
    late_lines: manifest.lines.filter((line) => line.late),
    not_due: manifest.not_due ?? [],
    exact: {
      charge: manifest.charge_exact,
      carried_in: manifest.carried_in,
      billable: manifest.billable,
      carried_out: manifest.carried_out,
    },
    usage: { calls: countCalls(manifest), failed, cancelled, tokens: manifest.tokens },
    layers: manifest.layers ?? null,
    price_books: manifest.books,
    notes: [...shadowNotes(mode), ...notesOf(manifest, failed + cancelled)],
    manifest_hash: close.manifestHash,
    closed_at: close.closedAt,
  };
}

/** An older close counted entries, and shares of pools among them. */
function countCalls({ calls, entries, allocations }: Manifest): number {
  if (calls === undefined) return entries - (allocations ?? 0);
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}

function shadowNotes(mode: 'shadow' | 'live'): readonly string[] {
  return mode === 'live'
    ? []
    : ['This period was closed in shadow mode: it is metered, and nothing is due.'];
}

function notesOf(manifest: Manifest, uncharged: number): readonly string[] {
  const notes: string[] = [];
  if (uncharged > 0) {
    notes.push(
      `${uncharged.toLocaleString('en-US')} failed ${uncharged === 1 ? 'call' : 'calls'}, not charged.`,
    );
  }
  if (manifest.late_entries === 1) {
    notes.push('1 entry belongs to an earlier period and is listed apart.');
  } else if (manifest.late_entries > 1) {
    notes.push(
      `${manifest.late_entries.toLocaleString('en-US')} entries belong to earlier periods and are listed apart.`,
    );
  }
  for (const { currency, total } of manifest.not_due ?? []) {
    notes.push(
      `${total} ${currency} of late usage and corrections belong to a period that was closed in shadow mode: nothing is due for that, and it is listed apart.`,
    );
  }
  for (const book of manifest.books) notes.push(cachingNote(book));
  notes.push(`Amounts are exact sums of ledger entries; the ${manifest.rounding}.`);
  notes.push('This is a usage statement, not a tax invoice.');
  return notes;
}

function cachingNote({ book, version, caching }: Manifest['books'][number]): string {
  const from = `Price book ${book} of ${version.slice(0, 10)}`;
  return caching === 'work_done'
    ? `${from}: cached input is charged at the input rate (work done).`
    : `${from}: cached input is charged at the cache rates (passed through).`;
}
