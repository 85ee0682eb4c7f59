import { startFauxqs } from 'fauxqs';
import type { Traffic } from './bench-events.ts';
import { benchMessages, PackStream, SENT_AT } from './bench-events.ts';

/** What the benchmark asks of its queue server, which runs here, in a process of its own. */
export type QueueOrder =
  | {
      readonly kind: 'fill';
      readonly queue: string;
      readonly events: number;
      readonly traffic: Traffic;
    }
  | {
      readonly kind: 'feed';
      readonly queue: string;
      readonly traffic: Traffic;
      /** Events a second; null keeps messages waiting however fast they are taken. */
      readonly perSecond: number | null;
    }
  | { readonly kind: 'drop'; readonly queue: string };

export type QueueAnswer =
  | { readonly kind: 'ready'; readonly endpoint: string }
  /** With what a ledger holds that took all of them. */
  | { readonly kind: 'filled'; readonly queueUrl: string; readonly entries: number }
  /** Messages that nobody deleted. */
  | { readonly kind: 'dropped'; readonly left: number };

/** Ahead of a worker at full load: more than its pollers ask for at once. */
const MESSAGES_WAITING = 120;
const FEED_EVERY_MS = 10;

const server = await startFauxqs({ port: 0, logger: false });
let feeding: NodeJS.Timeout | undefined;
process.on('message', (order: QueueOrder) => answer(obey(order)));
process.once('disconnect', () => process.exit());
answer({ kind: 'ready', endpoint: `http://127.0.0.1:${server.port}` });

/** Messages go in without HTTP: sending is not what is measured. */
function obey(order: QueueOrder): QueueAnswer {
  switch (order.kind) {
    case 'fill': {
      const { queueUrl } = server.createQueue(order.queue);
      const { bodies, entries } = benchMessages(order.events, order.traffic);
      for (const body of bodies) server.sendMessage(order.queue, body);
      return { kind: 'filled', queueUrl, entries };
    }
    case 'feed': {
      const { queueUrl } = server.createQueue(order.queue);
      feeding = feed(order);
      return { kind: 'filled', queueUrl, entries: 0 };
    }
    case 'drop': {
      clearInterval(feeding);
      const { ready, delayed, inflight } = messagesOf(order.queue);
      server.deleteQueue(order.queue);
      return { kind: 'dropped', left: ready.length + delayed.length + inflight.length };
    }
  }
}

function feed(order: Extract<QueueOrder, { kind: 'feed' }>): NodeJS.Timeout {
  const { queue, perSecond } = order;
  const packs = new PackStream(order.traffic);
  const startedAt = performance.now();
  let events = 0;
  const isDue = () =>
    perSecond === null
      ? messagesOf(queue).ready.length < MESSAGES_WAITING
      : events < ((performance.now() - startedAt) / 1000) * perSecond;
  return setInterval(() => {
    for (let added = 0; added < MESSAGES_WAITING && isDue(); added += 1) {
      const { body, count } = packs.next();
      events += count;
      const sentAt = { DataType: 'Number', StringValue: String(Date.now()) };
      server.sendMessage(queue, body, { messageAttributes: { [SENT_AT]: sentAt } });
    }
  }, FEED_EVERY_MS);
}

function messagesOf(queue: string) {
  const { ready = [], delayed = [], inflight = [] } = server.inspectQueue(queue)?.messages ?? {};
  return { ready, delayed, inflight };
}

function answer(message: QueueAnswer): void {
  process.send?.(message);
}
