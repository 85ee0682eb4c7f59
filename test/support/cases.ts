/**
 * The parameters of a property test: a fixed seed, so that a failure on one machine is a failure on
 * every machine, and a count that SPANLEDGER_CASES raises for a longer search. A search in parts gives
 * each part a seed of its own by SPANLEDGER_SEED.
 */
export const cases = (count: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: Number(process.env['SPANLEDGER_CASES'] ?? count),
  seed: Number(process.env['SPANLEDGER_SEED'] ?? 20261122),
});
