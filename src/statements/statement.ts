import type { Manifest } from '../ledger/closes/manifest.ts';
import { formatMinor } from '../money.ts';
import { counted } from '../text/counted.ts';
import type { Beside } from './beside/beside-store.ts';
import type { StatementDocument } from './statement-answer.ts';
import { statementNumber } from './statement-number.ts';
import { versionNames } from './words/version-names.ts';

/** A statement before its days, its names and what else is known are laid beside it. */
export type Statement = Omit<StatementDocument, keyof Beside | 'daily' | 'issuer'>;

/** Builds the statement of a period from its manifest alone: from the frozen one, or from what an open period would have now. Pure. */
export function buildStatement(of: {
  readonly manifest: Manifest;
  readonly mode: 'shadow' | 'live';
  /** What the close keeps; null while the period is open. */
  readonly frozen: { readonly manifestHash: string; readonly closedAt: string } | null;
  /** What is said of a period that is open. */
  readonly preview: StatementDocument['preview'];
}): Statement {
  const { manifest, mode, frozen, preview } = of;
  const byOutcome = manifest.calls ?? manifest.outcomes;
  const failed = byOutcome['failed'] ?? 0;
  const cancelled = byOutcome['cancelled'] ?? 0;
  const isDue = mode === 'live' && preview === null;
  return {
    format: 'spanledger-statement-1',
    number: preview === null ? statementNumber(manifest.tenant_id, manifest.period_start) : null,
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
    due: isDue ? manifest.charge_total : formatMinor(0n, manifest.currency),
    preview,
    lines: manifest.lines.filter((line) => !line.late),
    late_lines: manifest.lines.filter((line) => line.late),
    not_due: manifest.not_due ?? [],
    exact: {
      charge: manifest.charge_exact,
      carried_in: manifest.carried_in,
      ...(manifest.carried_in_due === undefined ? {} : { carried_in_due: manifest.carried_in_due }),
      billable: manifest.billable,
      carried_out: manifest.carried_out,
      ...(manifest.carried_out_due === undefined
        ? {}
        : { carried_out_due: manifest.carried_out_due }),
    },
    usage: { calls: countCalls(manifest), failed, cancelled, cached: 0, tokens: manifest.tokens },
    layers: manifest.layers ?? null,
    price_books: manifest.books,
    notes: [
      ...(preview === null ? shadowNotes(mode) : previewNotes({ mode, preview })),
      ...notesOf(manifest, { failed, cancelled }),
    ],
    manifest_hash: frozen?.manifestHash ?? null,
    closed_at: frozen?.closedAt ?? null,
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

/** Counts the calls that have no charge yet, for want of a price or of a measure. */
export function waitingCalls({ calls }: Manifest): number {
  return (calls?.['unrated'] ?? 0) + (calls?.['unmeasured'] ?? 0);
}

/** What of an open period is not in its sums yet, or is in none at all. */
function previewNotes({
  mode,
  preview,
}: {
  readonly mode: 'shadow' | 'live';
  readonly preview: NonNullable<StatementDocument['preview']>;
}): readonly string[] {
  const notes = ['The period is open: every figure may change until it is closed.'];
  if (mode === 'shadow') notes.push('It is metered in shadow mode, and nothing will be due.');
  const { waiting } = preview;
  if (waiting > 0) {
    notes.push(
      `${counted(waiting, 'call waits', 'calls wait')} for a price or a measure, and ${waiting === 1 ? 'is' : 'are'} in no sum yet.`,
    );
  }
  if (preview.earlier_open !== null) {
    notes.push(
      `The period from ${preview.earlier_open} is not closed yet: what it carries on is not counted here.`,
    );
  }
  for (const { amount, currency } of preview.left_owed) {
    notes.push(
      `A credit of ${amount} ${currency} is in another currency than this period, and in none of its sums.`,
    );
  }
  return notes;
}

function notesOf(manifest: Manifest, uncharged: Uncharged): readonly string[] {
  const notes = [...unchargedNotes(uncharged), ...cacheNotes(manifest.tokens)];
  if (manifest.late_entries > 0) notes.push('What belongs to earlier periods is listed apart.');
  for (const { currency, total } of manifest.not_due ?? []) {
    notes.push(
      `${total} ${currency} of late usage and corrections belong to a period that was closed in shadow mode: nothing is due for that, and it is listed apart.`,
    );
  }
  const { currency: billed, carried_in_due: inDue, carried_out_due: outDue } = manifest;
  if (outDue !== undefined) {
    notes.push(
      `${outDue} ${billed} of late usage and corrections belong to months that were billed: that is carried on to the next period in live mode, and due there.`,
    );
  }
  if (inDue !== undefined) {
    notes.push(
      `${inDue} ${billed} of what comes from earlier months is late usage and corrections of months that were billed, which the statements since then list and carry on.`,
    );
  }
  const names = versionNames(manifest.books);
  for (const [place, { book, caching }] of manifest.books.entries()) {
    notes.push(cachingNote(`Price book ${book} of ${names[place]}`, caching));
  }
  notes.push(`Amounts are exact sums of ledger entries; the ${manifest.rounding}.`);
  notes.push('This is a usage statement, not a tax invoice.');
  return notes;
}

interface Uncharged {
  readonly failed: number;
  readonly cancelled: number;
}

function unchargedNotes({ failed, cancelled }: Uncharged): readonly string[] {
  const calls = (count: number) => counted(count, 'call');
  const were = cancelled === 1 ? 'was' : 'were';
  if (failed > 0 && cancelled > 0) {
    return [
      `${calls(failed)} failed and ${calls(cancelled)} ${were} cancelled: none of them is charged.`,
    ];
  }
  if (failed > 0)
    return [`${calls(failed)} failed, and ${failed === 1 ? 'is' : 'are'} not charged.`];
  if (cancelled === 0) return [];
  return [
    `${calls(cancelled)} ${were} cancelled, and ${cancelled === 1 ? 'is' : 'are'} not charged.`,
  ];
}

/** What a cache spared is told in tokens; the note on the price book says what that does to the price. */
function cacheNotes({ input, cache_read: read }: Manifest['tokens']): readonly string[] {
  if (BigInt(read) <= 0n) return [];
  return [`${grouped(read)} of ${grouped(input)} input tokens were read from a cache.`];
}

function grouped(tokens: string): string {
  return BigInt(tokens).toLocaleString('en-US');
}

function cachingNote(from: string, caching: Manifest['books'][number]['caching']): string {
  return caching === 'work_done'
    ? `${from}: cached input is charged at the input rate (work done).`
    : `${from}: cached input is charged at the cache rates (passed through).`;
}
