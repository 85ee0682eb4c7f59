/**
 * What a person can do: plain advice, in which the operations of this program stand as data. Each door
 * phrases them in its own terms, the command line as commands to type.
 */
export type Remedy = readonly (string | Operation)[];

/** Every operation that a remedy names, with what it is to be given; null where the person chooses. */
export type Operation =
  | { readonly operation: 'adjust' }
  | { readonly operation: 'allocate list' }
  | { readonly operation: 'allocate reverse'; readonly pool: string; readonly month: string | null }
  | { readonly operation: 'audit entry'; readonly entryId: string | null }
  | { readonly operation: 'audit line'; readonly tenantId: string; readonly month: string }
  | { readonly operation: 'budget list' }
  | { readonly operation: 'close'; readonly month: string; readonly tenantId: string | null }
  | { readonly operation: 'correct'; readonly entryId: string; readonly move: true }
  | { readonly operation: 'key list' }
  | { readonly operation: 'migrate'; readonly roles: boolean }
  | { readonly operation: 'price-book import' }
  | { readonly operation: 'price-book list' }
  | { readonly operation: 'prove' }
  | { readonly operation: 'push'; readonly month: string }
  | { readonly operation: 'quarantine list' }
  | { readonly operation: 'reconcile' }
  | { readonly operation: 'report runs' }
  | { readonly operation: 'rerate' }
  | {
      readonly operation: 'seal publish';
      readonly to: string | null;
      readonly retainDays: number | null;
    }
  | { readonly operation: 'statement'; readonly proof: true }
  | {
      readonly operation: 'statement';
      readonly tenantId: string;
      readonly month: string;
      readonly preview: boolean;
    }
  | { readonly operation: 'stripe alerts'; readonly all: boolean }
  | { readonly operation: 'stripe setup' }
  | { readonly operation: 'stripe unpark'; readonly identifier: string }
  | { readonly operation: 'tenant list' }
  | { readonly operation: 'tenant set'; readonly give: 'price_book' | null }
  | { readonly operation: 'tenant set'; readonly tenantId: string; readonly bookFrom: string }
  | { readonly operation: 'webhook list' }
  | { readonly operation: 'verify'; readonly against: string | null };

/** Advice around operations: advise`close it first, with ${{ operation: 'close', … }}`. */
export function advise(
  words: TemplateStringsArray,
  ...between: readonly (string | number | Operation)[]
): Remedy {
  const parts: (string | Operation)[] = [];
  for (const [index, text] of words.entries()) {
    const next = between[index];
    parts.push(text);
    if (next !== undefined) parts.push(typeof next === 'number' ? String(next) : next);
  }
  return parts.filter((part) => part !== '');
}

/** The advice as one text, with the door's own words for each operation. */
export function phraseRemedy(parts: Remedy, phrase: (operation: Operation) => string): string {
  return parts.map((part) => (typeof part === 'string' ? part : phrase(part))).join('');
}
