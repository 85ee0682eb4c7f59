import { formatPico } from '../../money.ts';
import { present } from '../../present.ts';
import type { NewEntry } from '../entries/entry.ts';
import type { MadeCorrection } from '../reversals/made-correction.ts';
import type { DifferenceRow, TotalRow, UnpricedRow } from './bulk-answer.ts';

/**
 * Tells whether a correction takes a price away: the charge or the cost was known and would not be.
 */
export function losesPrice({ entry, replacement }: MadeCorrection): boolean {
  if (replacement === null) return false;
  return (
    (entry.charge !== null && replacement.charge === null) ||
    (entry.cost !== null && replacement.cost === null)
  );
}

/** Whether nothing of an entry's price would be another. */
export function keepsPrice({ entry, replacement }: MadeCorrection): boolean {
  return (
    replacement !== null &&
    entry.charge === replacement.charge &&
    entry.cost === replacement.cost &&
    // It is no amount of a bill, but the routing gain of a report comes from it (R4).
    entry.requestedCost === replacement.requestedCost &&
    entry.outcome === replacement.outcome &&
    entry.currency === replacement.currency
  );
}

/** Adds up what corrections of many entries change, without holding any of them. */
export class BulkDifference {
  readonly #changed = new Map<string, Changed>();
  readonly #unrated = new Map<string, Writable<UnpricedRow>>();
  readonly #losing = new Map<string, Writable<UnpricedRow>>();
  readonly #inOtherCurrency = new Map<string, Writable<UnpricedRow>>();

  /** Counts a correction that is due, whether it is made or its tenant's other currency stands against it. */
  add(made: MadeCorrection): void {
    if (made.paysNow === null) this.#addChanged(made);
    else count(this.#inOtherCurrency, made.entry);
  }

  #addChanged({ entry, replacement }: MadeCorrection): void {
    const after = replacement ?? { charge: 0n, cost: 0n, currency: entry.currency, outcome: null };
    const amounts = [entry.charge, after.charge, entry.cost, after.cost];
    const currencies = [entry.currency, after.currency];
    const known = amounts.map((amount) => amount !== null);
    const key = JSON.stringify([entry.tenantId, entry.requestedModel, ...currencies, known]);
    const total = this.#changed.get(key) ?? {
      tenant_id: entry.tenantId,
      requested_model: entry.requestedModel,
      currency_before: entry.currency,
      currency: after.currency,
      entries: 0,
      released: 0,
      amounts: amounts.map((amount) => (amount === null ? null : 0n)),
    };
    this.#changed.set(key, total);
    total.entries += 1;
    total.released += entry.outcome === 'unrated' && after.outcome !== 'unrated' ? 1 : 0;
    total.amounts = total.amounts.map((sum, index) =>
      sum === null ? null : sum + present(amounts[index], 'an amount that has a sum'),
    );
  }

  addUnrated({ entry }: MadeCorrection): void {
    count(this.#unrated, entry);
  }

  addLosing({ entry }: MadeCorrection): void {
    count(this.#losing, entry);
  }

  answer(): {
    readonly rows: readonly DifferenceRow[];
    readonly totals: readonly TotalRow[];
    readonly unrated: readonly UnpricedRow[];
    readonly losing: readonly UnpricedRow[];
    readonly in_other_currency: readonly UnpricedRow[];
  } {
    const changed = inOrder(this.#changed);
    return {
      rows: changed.map(({ amounts, ...total }) => {
        const [chargeBefore, chargeAfter, costBefore, costAfter] = amounts.map(formatKnown);
        return {
          ...total,
          charge_before: chargeBefore ?? null,
          charge_after: chargeAfter ?? null,
          cost_before: costBefore ?? null,
          cost_after: costAfter ?? null,
        };
      }),
      totals: totalsOf(changed),
      unrated: inOrder(this.#unrated),
      losing: inOrder(this.#losing),
      in_other_currency: inOrder(this.#inOtherCurrency),
    };
  }
}

type Writable<Row> = { -readonly [Key in keyof Row]: Row[Key] };

interface Changed
  extends Omit<
    Writable<DifferenceRow>,
    'charge_before' | 'charge_after' | 'cost_before' | 'cost_after'
  > {
  /** Charge before and after, cost before and after. */
  amounts: readonly (bigint | null)[];
}

function count(
  rows: Map<string, Writable<UnpricedRow>>,
  { tenantId, requestedModel }: Pick<NewEntry, 'tenantId' | 'requestedModel'>,
): void {
  const key = JSON.stringify([tenantId, requestedModel]);
  const row = rows.get(key) ?? {
    tenant_id: tenantId,
    requested_model: requestedModel,
    entries: 0,
  };
  rows.set(key, row);
  row.entries += 1;
}

/** What was before counts in its own currency, and what is after in its own. */
function totalsOf(changed: readonly Changed[]): readonly TotalRow[] {
  const currencies = changed.flatMap((row) => [row.currency_before, row.currency]);
  return [...new Set(currencies)].sort().map((currency) => {
    const before = changed.filter((row) => row.currency_before === currency);
    const after = changed.filter((row) => row.currency === currency);
    const amountsOf = (rows: readonly Changed[], index: number) =>
      rows.map(({ amounts }) => amounts[index] ?? null);
    const charge = (rows: readonly Changed[], index: number) =>
      formatPico(amountsOf(rows, index).reduce<bigint>((sum, amount) => sum + (amount ?? 0n), 0n));
    const cost = (rows: readonly Changed[], index: number) =>
      formatKnown(
        amountsOf(rows, index).reduce<bigint | null>(
          (sum, amount) => (sum === null || amount === null ? null : sum + amount),
          0n,
        ),
      );
    return {
      currency,
      entries: before.reduce((total, { entries }) => total + entries, 0),
      charge_before: charge(before, 0),
      charge_after: charge(after, 1),
      cost_before: cost(before, 2),
      cost_after: cost(after, 3),
    };
  });
}

function inOrder<Row>(byKey: ReadonlyMap<string, Row>): readonly Row[] {
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function formatKnown(amount: bigint | null): string | null {
  return amount === null ? null : formatPico(amount);
}
