import type { FurtherUnit } from '../../units.ts';

/** One priced row of one version of a book; immutable, so that an entry can point at it forever. */
export interface Rate {
  readonly rateId: bigint;
  /** The book that has the row; a cost-plus charge points at a row of a cost book. */
  readonly book: string;
  readonly provider: string | null;
  readonly model: string;
  readonly serviceTier: string;
  /** The row holds for calls whose whole input is above this many tokens. */
  readonly aboveInputTokens: bigint;
  /** Picodollars a call; a whole number of micro-dollars, so that a millionth of it is exact. */
  readonly perCall: bigint;
  /** Picodollars a token; null where the book gives no price, and none that it falls back to. */
  readonly input: bigint | null;
  readonly output: bigint | null;
  readonly cacheRead: bigint | null;
  readonly cacheWrite: bigint | null;
  /** Picodollars of each other unit that the book gives a price for; null where there is none. */
  readonly units: UnitPrices | null;
}

export type UnitPrices = Readonly<Partial<Record<FurtherUnit, bigint>>>;
