import type { ReadItem } from '../events/item.ts';

/**
 * Tells what cannot be posted and has no id from what is equal to it, by the message that brought it and its place
 * there. A message that is delivered again brings the same, which waits once; two equal ones that were sent apart, or
 * stand in one message, are two, since nothing says that they are one call. What has an id is known by what it says.
 */
export function tellApart(items: readonly ReadItem[], messageId: string): readonly ReadItem[] {
  return items.map((item, index) =>
    item.kind === 'refused' && item.eventId === null
      ? { ...item, apart: `${messageId}/${index}` }
      : item,
  );
}
