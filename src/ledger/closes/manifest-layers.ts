import { formatPico, type Pico } from '../../money.ts';
import type { Rate } from '../../rating/books/rate.ts';
import type { Caching, RatedTokens } from '../../rating/rate-usage.ts';
import { inputOf, outputOf, rateUsage } from '../../rating/rate-usage.ts';

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
}

/** What of a group decides its layers. */
interface LayeredGroup {
  readonly tokens: RatedTokens;
  readonly charge: Pico;
  readonly price: { readonly rate: Rate; readonly caching: Caching } | null;
  /** It is absent where no entry of the group has token layers. */
  readonly layered?: LayeredUsage | undefined;
}

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
export function layersOf(groups: readonly LayeredGroup[]): ManifestLayers | null {
  const layered = groups.filter((group) => group.layered !== undefined);
  if (layered.length === 0) return null;
  const sums = layered.map(splitGroup);
  const sum = (layer: NamedLayer) => ({
    tokens: sums.reduce((total, split) => total + split[layer].tokens, 0n),
    exact: sums.reduce((total, split) => total + split[layer].exact, 0n),
  });
  const named = NAMED_LAYERS.map((layer) => ({ layer, ...sum(layer) }));
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
    Number(layered.reduce((total, { layered: own }) => total + (own ? of(own) : 0n), 0n));
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

const NAMED_LAYERS = ['prompt', 'tool', 'memory', 'response'] as const;
type NamedLayer = (typeof NAMED_LAYERS)[number];
type Split = Readonly<Record<NamedLayer, { readonly tokens: bigint; readonly exact: Pico }>>;

/**
 * The response has the output's charge; the input's is shared by tokens, and what a division leaves
 * over stays with the prompt, as in the report of usage by layer.
 */
function splitGroup({ layered, price }: LayeredGroup): Split {
  if (layered === undefined) throw new Error('a group without layers is not split');
  const { tokens, tool, memory } = layered;
  const input = inputOf(tokens);
  const parts =
    price === null ? null : rateUsage({ ...tokens, callShare: 0n }, price.rate, price.caching);
  const charge = parts === null ? 0n : inputOf(parts);
  const share = (part: bigint) => (input === 0n ? 0n : (charge * part) / input);
  return {
    prompt: { tokens: input - tool - memory, exact: charge - share(tool) - share(memory) },
    tool: { tokens: tool, exact: share(tool) },
    memory: { tokens: memory, exact: share(memory) },
    response: { tokens: outputOf(tokens), exact: parts === null ? 0n : outputOf(parts) },
  };
}
