import type { Layer, ManifestLayers } from '../ledger/closes/manifest-layers.ts';
import { formatExact, formatQuantity } from './statement-format.ts';

/** The usage of a period by token layer, as all forms for people show it. */
export interface LayerTable {
  readonly title: string;
  /** A sentence each. */
  readonly explanation: readonly string[];
  readonly rows: readonly {
    readonly name: string;
    readonly tokens: string;
    readonly exact: string;
  }[];
}

const LAYER_NAMES: Readonly<Record<Layer, string>> = {
  prompt: 'Prompt',
  tool: 'Tool results',
  memory: 'Memory',
  response: 'Response',
  other: 'Not told apart',
};

export function viewLayers(layers: ManifestLayers): LayerTable {
  return {
    title: 'Usage by token layer',
    explanation: explainLayers(layers),
    rows: layers.lines
      .filter((line) => line.tokens !== '0' || line.exact !== '0')
      .map(({ layer, tokens, exact }) => ({
        name: LAYER_NAMES[layer],
        tokens: formatQuantity(tokens),
        exact: formatExact(exact),
      })),
  };
}

/**
 * Says which calls the layers are of, and which of them were scaled. Corrections may take back as many calls as the
 * period has, or more, which is no number of calls to tell.
 */
function explainLayers({ calls, scaled_calls: scaled }: ManifestLayers): readonly string[] {
  const count = (of: number) => of.toLocaleString('en-US');
  const told =
    calls > 0
      ? `${count(calls)} ${calls === 1 ? 'call tells' : 'calls tell'}`
      : 'calls and their corrections tell';
  const whole = `What the lines above come to by layer, as ${told} them.`;
  if (scaled === 0) return [whole];
  const some = scaled > 0 && scaled <= calls ? `${count(scaled)} of them` : 'some of them';
  return [
    whole,
    `Scaled: the layers of ${some} did not sum to the usage, and share it out by proportion.`,
  ];
}
