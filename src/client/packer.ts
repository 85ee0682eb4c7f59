import type { Encoding } from './message-body.ts';
import { LARGEST_MESSAGE_BYTES, PLAIN_FRAME_BYTES } from './message-body.ts';

/** What the packer needs to know of an event; the rest goes through. */
export interface Packable {
  readonly tenantId: string | null;
  readonly json: string;
}

/** Events for one message. */
export interface Pack<Event extends Packable> {
  /** The tenant to whom all of them belong; null for a pack that several share. */
  readonly tenantId: string | null;
  readonly events: readonly Event[];
  /** Characters of their JSON with a comma each. */
  readonly bytes: number;
}

/**
 * A pack below this does not pay for a message of its own: ten messages with thirty events of 550
 * bytes each go in one billed call, which makes four tenths of a cent a million events; with one event
 * in each it were twelve cents. Small ones share a message. No tenant's flood hides in there: it
 * would fill a quarter of a message in the time that a pack waits.
 */
const OWN_MESSAGE_BYTES = 16 * 1024;

/** A larger pack would make one message a large part of a worker's batch. */
const LARGEST_PACK_BYTES = 512 * 1024;

/** Gathers events per tenant into packs of about one message's size. */
export class Packer<Event extends Packable> {
  readonly #open = new Map<string | null, OpenPack<Event>>();
  readonly #encoding: Encoding;
  /**
   * The ratio says how much smaller a body is than its events; it is a careful guess until the
   * first is known.
   */
  #ratio = 3;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Answers the tenant's pack before this event, where the event no longer fits into it. */
  add(event: Event): Pack<Event> | null {
    const bytes = event.json.length + 1;
    const open = this.#open.get(event.tenantId);
    if (open !== undefined && open.bytes + bytes <= this.#packBytes()) {
      open.events.push(event);
      open.bytes += bytes;
      return null;
    }
    this.#open.set(event.tenantId, { tenantId: event.tenantId, events: [event], bytes });
    return open ?? null;
  }

  /** Everything that waits; packs too small for a message of their own are joined. */
  takeAll(): readonly Pack<Event>[] {
    const packs = [...this.#open.values()];
    this.#open.clear();
    const isSmall = (pack: Pack<Event>) => pack.tenantId === null || pack.bytes < OWN_MESSAGE_BYTES;
    return [...packs.filter((pack) => !isSmall(pack)), ...this.#join(packs.filter(isSmall))];
  }

  /**
   * Learns from a body how well events compress: at once where less well than before, since a pack
   * that fits no message must be halved, and slowly where better.
   */
  learn(bytes: number, bodyBytes: number): void {
    if (this.#encoding === 'plain' || bodyBytes < LARGEST_MESSAGE_BYTES / 4) return;
    const ratio = bytes / bodyBytes;
    this.#ratio += ratio < this.#ratio ? ratio - this.#ratio : (ratio - this.#ratio) / 4;
  }

  #join(small: readonly OpenPack<Event>[]): readonly Pack<Event>[] {
    const joined: OpenPack<Event>[] = [];
    for (const pack of small) {
      const last = joined.at(-1);
      if (last === undefined || last.bytes + pack.bytes > this.#packBytes()) {
        joined.push(pack);
      } else {
        last.tenantId = last.tenantId === pack.tenantId ? last.tenantId : null;
        last.events.push(...pack.events);
        last.bytes += pack.bytes;
      }
    }
    return joined;
  }

  #packBytes(): number {
    // The last event has no comma after it.
    if (this.#encoding === 'plain') return LARGEST_MESSAGE_BYTES - PLAIN_FRAME_BYTES + 1;
    return Math.min(LARGEST_PACK_BYTES, LARGEST_MESSAGE_BYTES * this.#ratio * FILL);
  }
}

/** Packs of one client compress a few percent better or worse than the last one. */
const FILL = 0.95;

interface OpenPack<Event> {
  tenantId: string | null;
  readonly events: Event[];
  bytes: number;
}
