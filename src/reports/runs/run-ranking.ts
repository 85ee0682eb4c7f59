import type { RunFigures } from './run-figures.ts';
import { addFigures, comparisonOf } from './run-figures.ts';
import type { RunOrder } from './runs-answer.ts';

/**
 * Collects figures of many runs into rows in an order. Where every run is a row of its own
 * there may be millions, so only so many of them are kept.
 */
export class RunRanking {
  readonly #most: number;
  readonly #compare: (a: RunFigures, b: RunFigures) => number;
  readonly #rows = new Map<string, RunFigures>();
  #total: RunTotal = { rows: 0, wastedRows: 0 };
  #kept: RunFigures[] = [];

  constructor(most: number, order: RunOrder = 'waste') {
    this.#most = most;
    this.#compare = comparisonOf(order);
  }

  /** Adds to the row of the same tenant, name and currency. */
  merge(figures: RunFigures): void {
    const key = JSON.stringify([figures.tenantId, figures.name, figures.currency]);
    const known = this.#rows.get(key);
    this.#rows.set(key, known === undefined ? figures : addFigures(known, figures));
  }

  /** Adds a row that nothing will be added to. */
  append(figures: RunFigures): void {
    this.#count(figures);
    this.#kept.push(figures);
    if (this.#kept.length > 4 * this.#most) this.#prune();
  }

  /** Counts rows that stand after those that are kept, and that nothing was wasted in. */
  countOthers(rows: number): void {
    this.#total = { ...this.#total, rows: this.#total.rows + rows };
  }

  /** The rows that are kept, and how many there are in all. */
  end(): { readonly rows: readonly RunFigures[]; readonly total: RunTotal } {
    for (const row of this.#rows.values()) this.append(row);
    this.#rows.clear();
    this.#prune();
    return { rows: this.#kept, total: this.#total };
  }

  #count(figures: RunFigures): void {
    const { rows, wastedRows } = this.#total;
    this.#total = {
      rows: rows + 1,
      wastedRows: wastedRows + (figures.wastedCost > 0n ? 1 : 0),
    };
  }

  #prune(): void {
    this.#kept = this.#kept.sort(this.#compare).slice(0, this.#most);
  }
}

export interface RunTotal {
  readonly rows: number;
  /** The rows with a cost before the answer. */
  readonly wastedRows: number;
}
