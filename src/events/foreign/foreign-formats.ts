import { otlpTranslator } from '../otlp/otlp.ts';
import { bedrockLogTranslator } from './bedrock-log.ts';
import { cloudEventTranslator } from './cloud-event.ts';
import { kongTranslator } from './kong.ts';
import { langwatchTranslator } from './langwatch.ts';
import { litellmTranslator } from './litellm.ts';
import type { Translator } from './translation.ts';

/** The formats of other producers, in the order in which a message is tried against them. */
export const translators: readonly Translator[] = [
  cloudEventTranslator,
  litellmTranslator,
  otlpTranslator,
  langwatchTranslator,
  kongTranslator,
  bedrockLogTranslator,
];

/** The translator for a message that is no native event, or null when no format fits its shape. */
export function findTranslator(value: object): Translator | null {
  return translators.find(({ recognizes }) => recognizes(value)) ?? null;
}
