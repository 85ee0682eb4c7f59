import type { ModelEntry } from './reference-events.ts';
import { NOBODY } from './reference-events.ts';
import type { ModelTokens } from './reference-prices.ts';
import { MODEL_UNITS, sumOf } from './reference-units.ts';

export function isFirst(entry: ModelEntry): boolean {
  return entry.revision === 0 && !entry.isReversal && entry.status === 'ok';
}

/** Two successes of one tenant under one response, which the ledger's key does not hold both. */
export function isSameAnswer(one: ModelEntry, other: ModelEntry): boolean {
  return (
    one.response !== null &&
    one.response === other.response &&
    one.tenant === other.tenant &&
    one.member === other.member &&
    one.status === 'ok' &&
    other.status === 'ok'
  );
}

export const partKey = (entry: ModelEntry) =>
  [entry.tenant, entry.source, entry.event, entry.member].join('|');

const FIVE_MINUTES = 300_000;

/** Two reports of one response are one call where counts and times agree, and else contradict each other. */
export function compareReports(one: ModelEntry, other: ModelEntry): 'same' | 'conflict' | null {
  const isNobodys = one.tenant === NOBODY || other.tenant === NOBODY;
  if (one.tenant !== other.tenant && !isNobodys) return null;
  if (one.response === null || one.response !== other.response) return null;
  if (one.member !== other.member || one.status !== 'ok' || other.status !== 'ok') return null;
  const unnamed = [one, other].filter(({ provider }) => provider === null).length;
  if (unnamed === 0 && one.provider !== other.provider) return null;
  const [a, b] = [countsOf(one), countsOf(other)];
  const isEqual = a.every((count, index) => count === b[index] || count === 0 || b[index] === 0);
  const isBatch = one.tier === 'batch' && other.tier === 'batch';
  const isNear = isBatch || Math.abs(one.occurredAt - other.occurredAt) <= FIVE_MINUTES;
  if (isEqual && isNear) return 'same';
  return unnamed === 1 ? null : 'conflict';
}

export function keptOf(earlier: ModelEntry, later: ModelEntry): ModelEntry {
  const [isOurs, isTheirs] = [earlier.tenant !== NOBODY, later.tenant !== NOBODY];
  if (isOurs !== isTheirs) return isOurs ? earlier : later;
  const isMore = countsOf(earlier).every((count) => count === 0);
  return isMore && countsOf(later).some((count) => count > 0) ? later : earlier;
}

function countsOf({ member, tokens, whole }: ModelEntry): readonly number[] {
  const { uncached, read, write, output, units } = member === '' ? tokens : whole;
  const input = uncached + read + write + sumOf(units, { side: 'input' });
  const each = Object.keys(MODEL_UNITS).map((name) => units[name] ?? 0);
  return [input, output + sumOf(units, { side: 'output' }), read, write, ...each];
}

export function isMeasured({ uncached, read, write, output, units }: ModelTokens): boolean {
  return uncached + read + write + output > 0 || Object.keys(units).length > 0;
}

/** Whether anything of the call was counted; a member's part may be nothing of a call that was (R10). */
export function isCounted({ member, tokens, whole }: ModelEntry): boolean {
  return isMeasured(member === '' ? tokens : whole) || isMeasured(tokens);
}
