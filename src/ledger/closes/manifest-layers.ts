import { formatPico, type Pico } from '../../money.ts';
import type { Rate } from '../../rating/books/rate.ts';
import type { Caching, RatedTokens } from '../../rating/rate-usage.ts';
import { inputOf, outputOf } from '../../rating/rate-usage.ts';

/** What the entries of a group sum to whose producers gave token layers. */
export interface LayeredUsage {
  /** Calls; a reversal takes its call back. */
  readonly calls: bigint;
  /** The calls among them whose counts did not sum to the usage and were scaled to it. */
  readonly scaled: bigint;
  readonly tokens: Omit<RatedTokens, 'callShare'>;
  /** The counts are of the input; the rest is prompt, and the output is the response. */
  readonly tool: bigint;
  readonly memory: bigint;
  readonly charges: LayeredCharges;
}

/** Sums of what each entry comes to by itself: all of it, and its parts. What is left of all is the prompt's. */
interface LayeredCharges {
  readonly all: Pico;
  readonly tool: Pico;
  readonly memory: Pico;
  readonly output: Pico;
  /** Fees a call, and what is no token. */
  readonly other: Pico;
}

/** What of a group decides its layers. */
interface LayeredGroup {
  readonly tokens: RatedTokens;
  readonly charge: Pico;
  readonly price: { readonly rate: Rate; readonly caching: Caching } | null;
  /** It is absent where no entry of the group has token layers. */
  readonly layered?: LayeredUsage | undefined;
}

/** What tells the charge of a group's layers, which follows from other things in another format. */
export type ChargesOf = (
  layered: LayeredUsage,
  price: LayeredGroup['price'],
) => Readonly<Record<NamedLayer, Pico>>;

export type Layer = 'prompt' | 'tool' | 'memory' | 'response' | 'other';

/**
 * Tokens and charge of a period by layer. `other` is all of which no layer is given: calls without
 * layers, fees a call, what is no token, and shares of pools. So the layers sum to the period's tokens and to its charge.
 */
export interface ManifestLayers {
  readonly calls: number;
  readonly scaled_calls: number;
  readonly lines: readonly {
    readonly layer: Layer;
    readonly tokens: string;
    readonly exact: string;
  }[];
}

/** Answers null where no entry of the period has layers. */
export function layersOf(
  groups: readonly LayeredGroup[],
  chargesOf: ChargesOf,
): ManifestLayers | null {
  const layered = groups.flatMap(({ layered: own, price }) =>
    own === undefined ? [] : [{ own, tokens: tokensOf(own), charges: chargesOf(own, price) }],
  );
  if (layered.length === 0) return null;
  const named = NAMED_LAYERS.map((layer) => ({
    layer,
    tokens: layered.reduce((total, { tokens }) => total + tokens[layer], 0n),
    exact: layered.reduce((total, { charges }) => total + charges[layer], 0n),
  }));
  const all = {
    tokens: groups.reduce((total, { tokens }) => total + inputOf(tokens) + outputOf(tokens), 0n),
    exact: groups.reduce((total, { charge }) => total + charge, 0n),
  };
  const other = {
    layer: 'other' as const,
    tokens: named.reduce((left, { tokens }) => left - tokens, all.tokens),
    exact: named.reduce((left, { exact }) => left - exact, all.exact),
  };
  const count = (of: (usage: LayeredUsage) => bigint) =>
    Number(layered.reduce((total, { own }) => total + of(own), 0n));
  return {
    calls: count((usage) => usage.calls),
    scaled_calls: count((usage) => usage.scaled),
    lines: [...named, other].map(({ layer, tokens, exact }) => ({
      layer,
      tokens: String(tokens),
      exact: formatPico(exact),
    })),
  };
}

/** Returns what the layers of each entry come to, summed, as the report of usage by layer has it. */
export function chargesOfEntries({ charges }: LayeredUsage): Readonly<Record<NamedLayer, Pico>> {
  const { all, tool, memory, output, other } = charges;
  return { prompt: all - tool - memory - output - other, tool, memory, response: output };
}

const NAMED_LAYERS = ['prompt', 'tool', 'memory', 'response'] as const;
type NamedLayer = (typeof NAMED_LAYERS)[number];

function tokensOf({ tokens, tool, memory }: LayeredUsage): Readonly<Record<NamedLayer, bigint>> {
  return {
    prompt: inputOf(tokens) - tool - memory,
    tool,
    memory,
    response: outputOf(tokens),
  };
}
