import { openQueue } from '../../src/ingest/queue-client.ts';
import { CLEAN } from './bench-events.ts';
import type { Contender, Job, Measured } from './contender.ts';
import { Stopwatch } from './contender.ts';

/** As many as the worker has. */
const POLLERS = 4;

export const receiveDelete: readonly Contender[] = (['packed', 'single'] as const).map((input) => ({
  name: `receive and delete only, ${input === 'packed' ? 'packed messages' : 'one event a message'}`,
  includes:
    'The AWS SDK receives ten messages a call and deletes them in one call, on four pollers; nothing is read, nothing is stored. The ceiling that the queue and its client set.',
  input: { ...CLEAN, shape: input },
  writesEntries: false,
  size: input,
  processes: 1,
  run: measureTransport,
}));

async function measureTransport(job: Job): Promise<Measured> {
  const { endpoint, queueUrl } = job;
  const queue = openQueue({ queueUrl, endpoint, region: null, pollers: POLLERS });
  const watch = new Stopwatch();
  watch.start();
  const poll = async () => {
    for (;;) {
      const messages = await queue.receive({ waitSeconds: 0, visibilityTimeoutSeconds: 60 });
      if (messages.length === 0) return;
      const failed = await queue.delete(messages.map((message) => message.receiptHandle));
      if (failed.length > 0) throw new Error(`${failed.length} messages were not deleted`);
      watch.lap();
    }
  };
  await Promise.all(Array.from({ length: POLLERS }, poll));
  queue.close();
  return watch.measured(job.events);
}
