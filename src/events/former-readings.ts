import type { UsageEvent } from './event.ts';
import { givesOutImages } from './provider-name.ts';

/**
 * Images that nobody divided from text were read as text once. What was received then has the digest of that
 * reading, and when it comes again it must be known by it (R9). Returns the event as it was read; null where it was
 * read as it is today.
 */
export function withImagesAsText(event: UsageEvent): UsageEvent | null {
  const { output, units } = event.usage;
  if (units?.output_image_tokens === undefined || output > event.usage.reasoning) return null;
  if (!givesOutImages(event.executedModel ?? event.requestedModel)) return null;
  const { output_image_tokens: images, ...others } = units;
  const usage = {
    ...event.usage,
    output: output + images,
    units: Object.keys(others).length === 0 ? null : others,
  };
  return { ...event, usage };
}

/** Digests events as they were read once, where pictures were text and a usage in doubt was reported. */
export function digestsAsReadOnce(
  events: readonly UsageEvent[],
  of: { readonly digestOf: (event: UsageEvent) => Buffer; readonly isDoubted: boolean },
): readonly Buffer[] {
  const reported = events.map((event) => ({ ...event, usageSource: 'reported' as const }));
  const read = of.isDoubted ? [...events, ...reported] : events;
  const asText = read.flatMap((event) => withImagesAsText(event) ?? []);
  return [...read, ...asText].map((event) => of.digestOf(event));
}
