import type Stripe from 'stripe';
import { z } from 'zod';

/** Keys to set; an empty value removes its key, and an empty text instead of keys removes all. */
export const metadata = z.union([z.literal(''), z.record(z.string().min(1), z.string())]);

export type MetadataChange = z.infer<typeof metadata>;

/** Returns the metadata of an object after a change of it. Keys that are not named stay. */
export function mergeMetadata(
  existing: Stripe.Metadata | null,
  change: Readonly<MetadataChange> | undefined,
): Stripe.Metadata {
  if (change === '') return {};
  const merged = { ...existing, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
