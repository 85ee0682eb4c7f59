import type { InstantMs } from '../clock.ts';
import { readBody } from '../events/read-body.ts';
import type { ReadItem, ReadSettings } from '../events/read-item.ts';
import type { LockedRow } from './quarantine-store.ts';

/**
 * Reads again what waits in quarantine. An event keeps the digest that it had when it was received: what was
 * cut out of its body since then, or hashed in it, makes no other event of what is delivered once more.
 */
export function readQuarantinedBody(
  row: LockedRow,
  reading: ReadSettings,
  now: InstantMs,
): readonly ReadItem[] {
  const received = { receivedAt: now, firstReceivedAt: row.received_at, attributes: {} };
  const items = readBody(row.body, { ...reading, ...received });
  const digest = row.received_digest;
  if (digest === null || items.length !== 1) return items;
  return items.map((item) => (item.kind === 'event' ? { ...item, digest } : item));
}
