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

/**
 * Names the first of many, and how many more there are: `a, b and 3 more`, or clauses, `a; b; and 3 more`. There are `all`
 * in all.
 */
export function andMore(
  first: readonly string[],
  all: number,
  last: ' and ' | ', and ' | '; and ' = ' and ',
): string {
  const named = first.join(last === '; and ' ? '; ' : ', ');
  const rest = all - first.length;
  return rest > 0 ? `${named}${last}${rest} more` : named;
}

/** Lists the first of many ids, and tells that there are more: `1, 2, …`. */
export function firstIds(first: readonly string[], all: number): string {
  return all > first.length ? `${first.join(', ')}, …` : first.join(', ');
}
