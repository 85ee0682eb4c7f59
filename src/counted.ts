/** Formats a whole number or a decimal with its thousands apart; one that may pass 2⁵³ comes as a text. */
export function figureOf(figure: number | string): string {
  const [whole = '', decimals] = String(figure).split('.');
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return decimals === undefined ? apart : `${apart}.${decimals}`;
}

/** Writes a number of things, in the singular or the plural: `1 entry`, `2,000 entries`. */
export function counted(count: number | string, one: string, many = `${one}s`): string {
  return `${figureOf(count)} ${String(count) === '1' ? one : many}`;
}
