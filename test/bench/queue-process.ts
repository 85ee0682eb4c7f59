import { startFauxqs } from 'fauxqs';
import { benchMessages } from './bench-events.ts';

/** What the benchmark asks of its queue server, which runs here, in a process of its own. */
export type QueueOrder =
  | ({ readonly kind: 'fill'; readonly queue: string; readonly events: number } & {
      readonly shape: 'packed' | 'single';
    })
  | { readonly kind: 'drop'; readonly queue: string };

export type QueueAnswer =
  | { readonly kind: 'ready'; readonly endpoint: string }
  | { readonly kind: 'filled'; readonly queueUrl: string; readonly messages: number }
  /** Messages that nobody deleted. */
  | { readonly kind: 'dropped'; readonly left: number };

const server = await startFauxqs({ port: 0, logger: false });
process.on('message', (order: QueueOrder) => answer(obey(order)));
process.once('disconnect', () => process.exit());
answer({ kind: 'ready', endpoint: `http://127.0.0.1:${server.port}` });

/** Messages go in without HTTP: sending is not what is measured. */
function obey(order: QueueOrder): QueueAnswer {
  switch (order.kind) {
    case 'fill': {
      const { queueUrl } = server.createQueue(order.queue);
      const bodies = benchMessages(order.events, order.shape);
      for (const body of bodies) server.sendMessage(order.queue, body);
      return { kind: 'filled', queueUrl, messages: bodies.length };
    }
    case 'drop': {
      const {
        ready = [],
        delayed = [],
        inflight = [],
      } = server.inspectQueue(order.queue)?.messages ?? {};
      server.deleteQueue(order.queue);
      return { kind: 'dropped', left: ready.length + delayed.length + inflight.length };
    }
  }
}

function answer(message: QueueAnswer): void {
  process.send?.(message);
}
