import type { InstantMs } from '../../clock.ts';
import type { ReadItem } from '../../events/item.ts';
import { readBody } from '../../events/read-body.ts';
import type { ReadSettings } from '../../events/read-item.ts';
import type { LockedRow } from './quarantine-store.ts';

/**
 * Reads again what waits in quarantine. An event keeps the digest that it had when it was received: what was
 * cut out of its body since then, or hashed in it, makes no other event of what is delivered once more. It also
 * keeps what it was a second report of, since the message that told it is gone.
 */
export function readQuarantinedBody(
  row: LockedRow,
  reading: ReadSettings,
  now: InstantMs,
): readonly ReadItem[] {
  const received = { receivedAt: now, firstReceivedAt: row.received_at, attributes: {} };
  const items = readBody(row.body, { ...reading, ...received });
  if (items.length !== 1) return items;
  const kept = {
    ...(row.received_digest === null ? {} : { digest: row.received_digest }),
    ...(row.repeats === null ? {} : { repeats: row.repeats }),
  };
  return items.map((item) => (item.kind === 'event' ? { ...item, ...kept } : item));
}
