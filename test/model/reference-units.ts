/**
 * Every unit beside text as the rules have it (R21), written a second time. Nothing here is shared with the
 * code that it is held against.
 */

/** Counts in disjoint units; what is not there is zero. */
export type ModelUnits = Readonly<Record<string, number>>;

interface ModelUnit {
  readonly side: 'input' | 'output' | 'call';
  /** The count of an event that holds it beside that of its side. */
  readonly within: 'cache_read_tokens' | 'cache_write_tokens' | null;
  /** The keys of its price in a row, and how many of it that price is for. */
  readonly price: readonly string[];
  readonly each: bigint;
  /** What it costs where a row has no price for it; null for nothing but its own. */
  readonly else: string | null;
  /** What it is charged as where a book charges for work done; null for what it is. */
  readonly work: string | null;
}

const million = 1_000_000n;

export const MODEL_UNITS: Readonly<Record<string, ModelUnit>> = {
  cache_write_1h_tokens: {
    ...{ side: 'input', within: 'cache_write_tokens', each: million },
    ...{ price: ['per_million', 'cache_write_1h'], else: 'input', work: 'input' },
  },
  input_audio_tokens: {
    ...{ side: 'input', within: null, each: million },
    ...{ price: ['per_million', 'input_audio'], else: null, work: null },
  },
  input_image_tokens: {
    ...{ side: 'input', within: null, each: million },
    ...{ price: ['per_million', 'input_image'], else: 'input', work: null },
  },
  input_video_tokens: {
    ...{ side: 'input', within: null, each: million },
    ...{ price: ['per_million', 'input_video'], else: 'input', work: null },
  },
  cache_read_audio_tokens: {
    ...{ side: 'input', within: 'cache_read_tokens', each: million },
    ...{ price: ['per_million', 'cache_read_audio'], else: 'input_audio_tokens' },
    work: 'input_audio_tokens',
  },
  cache_read_image_tokens: {
    ...{ side: 'input', within: 'cache_read_tokens', each: million },
    ...{ price: ['per_million', 'cache_read_image'], else: 'input_image_tokens' },
    work: 'input_image_tokens',
  },
  output_audio_tokens: output('output_audio'),
  output_image_tokens: output('output_image'),
  output_video_tokens: output('output_video'),
  images: called(['per_image'], 1n),
  audio_ms: called(['per_second', 'audio'], 1_000n),
  video_ms: called(['per_second', 'video'], 1_000n),
  characters: called(['per_million', 'characters'], million),
  pages: called(['per_thousand', 'pages'], 1_000n),
  searches: called(['per_thousand', 'searches'], 1_000n),
  search_units: called(['per_thousand', 'search_units'], 1_000n),
};

function output(name: string): ModelUnit {
  return {
    ...{ side: 'output', within: null, each: million, price: ['per_million', name] },
    ...{ else: null, work: null },
  };
}

function called(price: readonly string[], each: bigint): ModelUnit {
  return { side: 'call', within: null, each, price, else: null, work: null };
}

export function unitOf(name: string): ModelUnit {
  const unit = MODEL_UNITS[name];
  if (unit === undefined) throw new Error(`the rules have no unit ${name}`);
  return unit;
}

/** The units that an event counts, as it names them. */
export function unitsIn(usage: Readonly<Record<string, number | undefined>>): ModelUnits {
  const counted = Object.keys(MODEL_UNITS).filter((name) => (usage[name] ?? 0) > 0);
  return Object.fromEntries(counted.map((name) => [name, usage[name] ?? 0]));
}

/** What of the units stands on a side, or within a count of it. */
export function sumOf(
  units: ModelUnits,
  of: { readonly side: ModelUnit['side']; readonly within?: ModelUnit['within'] },
): number {
  return Object.entries(units)
    .filter(([name]) => unitOf(name).side === of.side)
    .filter(([name]) => of.within === undefined || unitOf(name).within === of.within)
    .reduce((sum, [, count]) => sum + count, 0);
}

/** The same units with their counts changed; what comes to nothing is not there. */
export function mapUnits(units: ModelUnits, change: (count: number, name: string) => number) {
  const changed = Object.entries(units).map(
    ([name, count]) => [name, change(count, name)] as const,
  );
  return Object.fromEntries(changed.filter(([, count]) => count !== 0));
}
