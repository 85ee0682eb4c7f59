import { readModelName } from '../../events/model-name.ts';
import { canonicalProvider } from '../../events/provider-name.ts';
import type { Rate } from './rate.ts';

/**
 * In how far a row's name may differ from the one that is asked for: `written` not at all, `same` in its
 * spelling alone, `undated` in its date, too.
 */
export type NameMatch = 'written' | 'same' | 'undated';

/** The model that is asked for, and by whom it is offered; null where nobody says. */
interface AskedModel {
  readonly provider: string | null;
  readonly model: string;
}

/** The rows of one version of a book, as a call looks for them. */
export interface RateIndex {
  readonly rows: readonly Rate[];
  /** The rows of one tier, one for each context length; empty where there are none. */
  readonly find: (asked: AskedModel, tier: string, match: NameMatch) => readonly Rate[];
}

type Rows = ReadonlyMap<string, readonly Rate[]>;

export function buildRates(rows: readonly Rate[]): RateIndex {
  // A catalog has all versions of its books, of which a command asks few; and most calls are found as they are written,
  // so that a book of which all are is never read another way.
  const written = once(() => rowsAsWritten(rows));
  const findAsWritten = remembered((asked, tier) => findWritten(written(), asked, tier));
  const read = { same: once(() => rowsByName(rows)), undated: once(() => rowsWithoutDate(rows)) };
  return {
    rows,
    find: (asked, tier, match) =>
      match === 'written'
        ? findAsWritten(asked, tier)
        : findRead(read[match](), asked, { tier, match }),
  };
}

type FindRows = (asked: AskedModel, tier: string) => readonly Rate[];

/** At most this many names are remembered, however many models events name. */
const MOST_REMEMBERED = 1_000;

/** Every event asks for one of few models, twice; making a key of three texts for each question is felt there. */
function remembered(find: FindRows): FindRows {
  const byTier = new Map<string, Map<string | null, Map<string, readonly Rate[]>>>();
  let count = 0;
  return (asked, tier) => {
    const { provider, model } = asked;
    const known = byTier.get(tier)?.get(provider)?.get(model);
    if (known !== undefined) return known;
    const rows = find(asked, tier);
    if (count >= MOST_REMEMBERED) return rows;
    count += 1;
    const ofTier = byTier.get(tier) ?? new Map<string | null, Map<string, readonly Rate[]>>();
    const ofProvider = ofTier.get(provider) ?? new Map<string, readonly Rate[]>();
    byTier.set(tier, ofTier.set(provider, ofProvider.set(model, rows)));
    return rows;
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** NUL separates: Postgres holds none. No provider is the row of any; a call may name none, too. */
function keyOf(provider: string | null, model: string, tier: string): string {
  const of = provider === null ? '' : `=${canonicalProvider(provider)}`;
  return `${of}\u0000${model}\u0000${tier}`;
}

/** A call that names no provider is priced by its model alone, where that leaves no doubt. */
function unnamedKey(model: string, tier: string): string {
  return `${model}\u0000${tier}`;
}

function rowsAsWritten(rows: readonly Rate[]): Rows {
  const found = Map.groupBy(rows, (row) => keyOf(row.provider, row.model, row.serviceTier));
  const byModel = Map.groupBy(rows, (row) => unnamedKey(row.model, row.serviceTier));
  return withUndoubted(found, byModel);
}

/** Rows that are one model under several spellings count only where their prices agree. */
function rowsByName(rows: readonly Rate[]): Rows {
  const nameOf = (row: Rate) => readModelName(row.model).name;
  return undoubted(rows, nameOf);
}

/** The row of a model without a date speaks for all of its dates; where there is none, all have to agree. */
function rowsWithoutDate(rows: readonly Rate[]): Rows {
  const undatedOf = (row: Rate) => readModelName(row.model).undated;
  const isUndated = (row: Rate) => readModelName(row.model).name === undatedOf(row);
  const found = new Map(undoubted(rows, undatedOf));
  for (const [key, own] of undoubted(rows.filter(isUndated), undatedOf)) found.set(key, own);
  return found;
}

function undoubted(rows: readonly Rate[], nameOf: (row: Rate) => string): Rows {
  const byProvider = Map.groupBy(rows, (row) => keyOf(row.provider, nameOf(row), row.serviceTier));
  const byModel = Map.groupBy(rows, (row) => unnamedKey(nameOf(row), row.serviceTier));
  return withUndoubted(withUndoubted(new Map(), byProvider), byModel);
}

function withUndoubted(found: Map<string, readonly Rate[]>, groups: Rows) {
  for (const [key, rows] of groups) {
    const offers = Map.groupBy(rows, offerOf);
    // Most models have one offer, with which nothing can disagree.
    if (offers.size === 1) found.set(key, rows);
    else if (agree(offers)) found.set(key, firstOf(offers));
  }
  return found;
}

const offerOf = (row: Rate) => `${row.provider ?? ''}\u0000${row.model}`;

function agree(offers: Rows): boolean {
  return new Set([...offers.values()].map(priceText)).size === 1;
}

function firstOf(offers: Rows): readonly Rate[] {
  const [first] = [...offers].sort(([one], [other]) => (one < other ? -1 : 1));
  return first?.[1] ?? NONE;
}

function priceText(rows: readonly Rate[]): string {
  const texts = rows.map((rate) =>
    [
      rate.aboveInputTokens,
      rate.perCall,
      rate.input,
      rate.output,
      rate.cacheRead,
      rate.cacheWrite,
      JSON.stringify(
        Object.entries(rate.units ?? {}).map(([unit, price]) => [unit, String(price)]),
      ),
    ].join(),
  );
  return texts.sort().join(';');
}

const NONE: readonly Rate[] = [];

/** Finds the rows of the provider, else those that name none. */
function findWritten(rows: Rows, { provider, model }: AskedModel, tier: string): readonly Rate[] {
  return (
    rows.get(keyOf(provider, model, tier)) ??
    rows.get(keyOf(null, model, tier)) ??
    (provider === null ? rows.get(unnamedKey(model, tier)) : undefined) ??
    NONE
  );
}

/**
 * Finds the rows by the name that the model has in any spelling. Who is named in it is asked where
 * the call names nobody, or somebody who has no such model: an SDK of one provider that speaks to
 * another.
 */
function findRead(
  rows: Rows,
  asked: AskedModel,
  { tier, match }: { readonly tier: string; readonly match: 'same' | 'undated' },
): readonly Rate[] {
  const read = readModelName(asked.model);
  const model = match === 'same' ? read.name : read.undated;
  const provider = isPassage(asked.provider) ? null : asked.provider;
  const own = findWritten(rows, { provider: provider ?? read.provider, model }, tier);
  if (own.length > 0 || read.provider === null) return own;
  return findWritten(rows, { provider: read.provider, model }, tier);
}

/** A gateway or a framework hands calls on and is paid for nothing; its name says nothing of the price. */
function isPassage(provider: string | null): boolean {
  return provider !== null && PASSAGES.has(canonicalProvider(provider));
}

const PASSAGES: ReadonlySet<string> = new Set([
  'litellm',
  'litellm_proxy',
  'portkey',
  'helicone',
  'langwatch',
  'kong',
  'gateway',
  'vercel',
  'strands_agents',
  'autogen',
  'spring_ai',
  'langchain',
  'langgraph',
  'llama_index',
  'crewai',
  'mastra',
  'microsoft.agent_framework',
  'pydantic_ai',
  'semantic_kernel',
  'haystack',
  'unknown',
]);
