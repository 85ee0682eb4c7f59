import type { Placement } from '../../periods/placement.ts';
import { placeReversal, placeUsage } from '../../periods/placement.ts';
import { Refusal } from '../../refusal.ts';
import type { Remedy } from '../../remedy.ts';
import type { NewEntry, StoredEntry } from '../entries/entry.ts';
import type { ReferenceCache } from '../posting/reference-cache.ts';
import type { CorrectionNote, EntryChange } from './correction.ts';
import { freeReplacementOf, replacementOf, reversalOf } from './correction.ts';

/** What is asked of one entry, and why. */
export interface AskedCorrection {
  /** Null takes the entry back without a replacement; 'free' leaves it as it is, and charges nothing. */
  readonly change: EntryChange | 'free' | null;
  readonly note: CorrectionNote;
}

export interface MadeCorrection {
  readonly entry: StoredEntry;
  readonly reversal: NewEntry;
  readonly replacement: NewEntry | null;
  /**
   * The currency in which the tenant pays now, where the entry was billed in another one: no period can hold both
   * (R15), so it is left as it is. Null where nothing stands against the correction.
   */
  readonly paysNow: string | null;
}

/** Returns the entries of a correction, in the order in which they are posted. */
export function postedEntriesOf({ reversal, replacement }: MadeCorrection): readonly NewEntry[] {
  return replacement === null ? [reversal] : [reversal, replacement];
}

/** Makes the reversal and the replacement of one entry, placed in the tenants' open periods. */
export function correct(
  cache: ReferenceCache,
  entry: StoredEntry,
  request: AskedCorrection & { readonly revision?: number },
): MadeCorrection {
  const { change, note, revision = entry.revision + 2 } = request;
  const takenBack = placeReversal(cache.tenant(entry.tenantId), entry);
  const reversal = reversalOf(entry, note, takenBack);
  const paysNow = otherCurrency(cache, entry, takenBack);
  if (change === null) return { entry, reversal, replacement: null, paysNow };
  const target = targetOf({ change }) ?? entry.tenantId;
  // With its own tenant it is due as what it replaces was, and with another as that one's usage is.
  const placement =
    target === entry.tenantId ? takenBack : placeUsage(cache.tenant(target), entry.occurredAt);
  const of = { pricing: cache.pricing(), placement, note };
  const replacement =
    change === 'free' ? freeReplacementOf(entry, of) : replacementOf(entry, change, of);
  return { entry, reversal, replacement: { ...replacement, revision }, paysNow };
}

/**
 * Returns the currency of the open period in which a billed entry would be taken back, where that
 * is another than its own.
 */
export function otherCurrency(
  cache: ReferenceCache,
  entry: StoredEntry,
  takenBack: Placement,
): string | null {
  return takenBack.period.startDate === entry.periodStart
    ? null
    : otherCurrencyThan(cache, entry, takenBack);
}

/**
 * Returns the currency of the open period in which a late entry would be billed, where that is another than its own.
 */
export function otherCurrencyThan(
  cache: ReferenceCache,
  { tenantId, charge, currency }: Pick<NewEntry, 'tenantId' | 'charge' | 'currency'>,
  { period, late, due }: Placement,
): string | null {
  if (!late || !due || !charge) return null;
  const pays = cache.pricing().bookOf(tenantId, period.endsAt - 1)?.currency ?? null;
  return pays === currency ? null : pays;
}

/** Refuses to take back, in the open period, what was billed in a currency in which the tenant pays no longer (R15). */
export function refuseOtherCurrency(entry: StoredEntry, paysNow: string, remedy: Remedy): never {
  throw new Refusal(
    'conflict',
    `ent_${entry.entryId} was billed in ${entry.currency}, and tenant "${entry.tenantId}" pays in ${paysNow} now; one period cannot hold both`,
    remedy,
  );
}

/**
 * Returns the tenant to whom a correction moves an entry; undefined where it stays with its own.
 */
export function targetOf({ change }: Pick<AskedCorrection, 'change'>): string | undefined {
  return change === null || change === 'free' ? undefined : change.tenantId;
}
