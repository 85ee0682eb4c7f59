import type { TokenLayers, UsageCounts } from '../events/event.ts';
import { totalInput, totalOutput } from '../events/event.ts';
import { allocate } from '../money.ts';

/**
 * Scales layers to the usage: prompt, tool and memory share out the input by largest remainder,
 * and the response is the output. Counts that already sum come back unchanged; layers that are all
 * zero leave the whole input to the prompt.
 */
export function scaleLayers(layers: TokenLayers, usage: UsageCounts): TokenLayers {
  const input = totalInput(usage);
  const response = totalOutput(usage);
  const reported = layers.prompt + layers.tool + layers.memory;
  if (reported === input) return { ...layers, response };
  if (reported === 0) return { prompt: input, tool: 0, memory: 0, response };
  const [prompt = 0n, tool = 0n, memory = 0n] = allocate(BigInt(input), [
    BigInt(layers.prompt),
    BigInt(layers.tool),
    BigInt(layers.memory),
  ]);
  return {
    prompt: Number(prompt),
    tool: Number(tool),
    memory: Number(memory),
    response,
  };
}
