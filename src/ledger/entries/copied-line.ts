import { hashEntry } from '../../seals/entry-hash.ts';
import { NULL } from './copy-text.ts';
import {
  HIDDEN_COLUMNS,
  LATER_HIDDEN_COLUMNS,
  LATER_SHOWN_COLUMNS,
  SHOWN_COLUMNS,
} from './entry-columns.ts';

/** The instants of an entry, which Postgres copies out in other words than they are hashed in. */
const INSTANTS = ['occurred_at', 'started_at', 'recorded_at', 'charge_version', 'cost_version'];

const SHOWN = [...SHOWN_COLUMNS, ...LATER_SHOWN_COLUMNS];
const HIDDEN = [...HIDDEN_COLUMNS, ...LATER_HIDDEN_COLUMNS];

/** What stands before, between and after the instants, and is hashed as it is copied out. */
const PIECES = [
  SHOWN.slice(0, SHOWN.indexOf('occurred_at')),
  SHOWN.slice(SHOWN.indexOf('recorded_at') + 1, SHOWN.indexOf('charge_version')),
  SHOWN.slice(SHOWN.indexOf('charge_version') + 1),
  HIDDEN.slice(0, HIDDEN.indexOf('cost_version')),
  HIDDEN.slice(HIDDEN.indexOf('cost_version') + 1),
];

/**
 * Returns the columns that make a copied line, in which a mark that no entry holds stands between pieces that are
 * hashed: every entry of a ledger passes here, and cutting all its cells apart costs as much as the hash.
 */
export function copiedColumns(mark: string): string {
  return [INSTANTS, ...PIECES].map((columns) => columns.join(', ')).join(`, '${mark}', `);
}

/**
 * Returns the hash, in hexadecimal, that the columns of a kept entry give. They come in one line as Postgres copies
 * them out where its time zone is UTC, its dates are ISO and its bytes hexadecimal.
 */
export function hashCopied(
  line: string,
  of: { readonly mark: string; readonly entryId: string; readonly salt: string },
): string {
  const [instants = '', first, second, third = '', fourth, fifth = ''] = line.split(
    `\t${of.mark}\t`,
  );
  const [occurredAt = '', startedAt = '', recordedAt = '', chargeVersion = '', costVersion = ''] =
    instants.split('\t');
  return hashEntry({
    shown: `${first}\t${hashedInstant(occurredAt)}\t${hashedInstant(startedAt)}\t${hashedInstant(recordedAt)}\t${second}\t${knownInstant(chargeVersion)}\t${withoutLast(third)}`,
    hidden: `${fourth}\t${knownInstant(costVersion)}\t${fifth.endsWith(NO_LATER_HIDDEN) ? fifth.slice(0, -NO_LATER_HIDDEN.length) : fifth}`,
    entryId: of.entryId,
    salt: of.salt,
  });
}

const LAST_IS_NULL = `\t${NULL}`;
const NO_LATER_HIDDEN = LAST_IS_NULL.repeat(LATER_HIDDEN_COLUMNS.length);

/** Of what came later and is shown, the last columns that are null leave no trace. */
function withoutLast(shown: string): string {
  let end = shown.length;
  for (const _ of LATER_SHOWN_COLUMNS) {
    if (!shown.endsWith(LAST_IS_NULL, end)) break;
    end -= LAST_IS_NULL.length;
  }
  return shown.slice(0, end);
}

const COPIED_INSTANT = 'YYYY-MM-DD HH:MM:SS';
const UTC = '+00';

/** Milliseconds always, and microseconds only where there are any. What is no such instant stays as it is. */
function hashedInstant(copied: string): string {
  if (copied[10] !== ' ' || !copied.endsWith(UTC)) return copied;
  const fraction = copied.slice(COPIED_INSTANT.length + 1, -UTC.length);
  const digits = fraction.length > 3 ? 6 : 3;
  return `${copied.slice(0, 10)}T${copied.slice(11, COPIED_INSTANT.length)}.${fraction.padEnd(digits, '0')}Z`;
}

/** Versions of prices are few beside entries. */
const knownInstants = new Map<string, string>();
const MOST_KNOWN = 1000;

function knownInstant(copied: string): string {
  const known = knownInstants.get(copied);
  if (known !== undefined) return known;
  if (knownInstants.size >= MOST_KNOWN) knownInstants.clear();
  const hashed = hashedInstant(copied);
  knownInstants.set(copied, hashed);
  return hashed;
}

/** Signs that Postgres copies out with a backslash and that are hashed as they are. */
const SIGNS: Readonly<Record<string, string>> = { '\\b': '\b', '\\f': '\f', '\\v': '\v' };

/** Returns a copied line with the signs in it as they are hashed. */
export function withSigns(line: string): string {
  return line.replace(/\\./g, (copied) => SIGNS[copied] ?? copied);
}
