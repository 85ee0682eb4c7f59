import { countOf, isCount } from './foreign/foreign-count.ts';
import type { CallOf, ReportedCounts } from './foreign/foreign-usage.ts';
import { thinksBesideOutput } from './provider-name.ts';

/**
 * Tells where version 5 of the AI SDK has the thoughts of a call. Gemini and xAI count them beside the output, and a
 * package that calls their models through somebody else or through an interface of another kind counts them within. A
 * total tells which: one that is less than all three counts leaves no room beside them. Without a total they are beside
 * the output only where the provider itself is one that has them there.
 */
export function placeOfThoughts(
  { total, ...counts }: ReportedCounts,
  { provider, model }: CallOf,
): 'inside' | 'beside' {
  if (!thinksBesideOutput(provider, model)) return 'inside';
  const whole = wholeOf(total);
  const isRoom =
    whole >= wholeOf(counts.input) + wholeOf(counts.output) + wholeOf(counts.reasoning);
  return (whole > 0 ? isRoom : isOfItself(provider)) ? 'beside' : 'inside';
}

/** Counts of xAI's responses hold their thoughts, and those of its chats do not. */
function isOfItself(provider: unknown): boolean {
  return thinksBesideOutput(provider, undefined) && !/responses/i.test(String(provider));
}

function wholeOf(value: unknown): number {
  const count = countOf(value);
  return isCount(count) ? count : 0;
}
