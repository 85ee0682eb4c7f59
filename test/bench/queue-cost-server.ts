import { startLocalQueue } from '../../src/demo/local-queue.ts';
import { openQueueProxy } from '../support/queue-proxy.ts';

/** One call as SQS would bill it. */
export interface CountedCall {
  readonly action: string;
  readonly payloadBytes: number;
  /** Messages that it brought into the queue. */
  readonly sent: number;
}

const queue = await startLocalQueue();
const proxy = await openQueueProxy(queue.endpoint);
process.on('message', () => {
  const counted: CountedCall[] = proxy.calls.map(({ action, entries, payloadBytes }) => ({
    action,
    payloadBytes,
    sent: action === 'SendMessage' ? 1 : action === 'SendMessageBatch' ? entries.length : 0,
  }));
  process.send?.(counted);
});
process.once('disconnect', () => process.exit());
process.send?.({ queueUrl: queue.queueUrl, endpoint: proxy.endpoint });
