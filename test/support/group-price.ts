import type { GroupPrice } from '../../src/ledger/closes/manifest-lines.ts';
import type { Rate } from '../../src/rating/books/rate.ts';

/** gpt-4o at 3.00 in and 12.00 out a million. */
export const RATE: Rate = {
  rateId: 1n,
  book: 'standard',
  provider: null,
  model: 'gpt-4o',
  serviceTier: 'standard',
  aboveInputTokens: 0n,
  perCall: 0n,
  input: 3_000_000n,
  output: 12_000_000n,
  cacheRead: 1_500_000n,
  cacheWrite: 3_000_000n,
  units: null,
};

/** What charges a group of entries by that rate. */
export const PRICE: GroupPrice = {
  book: 'standard',
  version: Date.parse('2026-01-01T00:00:00Z'),
  caching: 'work_done',
  rate: RATE,
};
