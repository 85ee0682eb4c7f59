import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { connect } from '../aws/sqs-client.ts';

/** A queue server that speaks SQS over HTTP, on loopback. It keeps messages in memory. */
export interface LocalQueue {
  readonly endpoint: string;
  readonly queueUrl: string;
  stop(): Promise<void>;
}

/** Starts the server on a free port with one standard queue and its dead-letter queue. */
export async function startLocalQueue(): Promise<LocalQueue> {
  // Who installs the command has this package only where the demo is wanted.
  const { buildApp } = await import('fauxqs');
  const app = buildApp({ logger: false });
  // The package's own start listens on every address of the machine.
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  const sqs = connect({ endpoint, region: null }, { requestTimeoutMs: 10_000, maxSockets: 1 });
  try {
    const deadLetters = await makeQueue(sqs, 'usage-dead-letters', {});
    const redrive = { deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 10 };
    const { url } = await makeQueue(sqs, 'usage', { RedrivePolicy: JSON.stringify(redrive) });
    return { endpoint, queueUrl: url, stop: () => app.close() };
  } finally {
    sqs.destroy();
  }
}

async function makeQueue(
  sqs: SQSClient,
  name: string,
  attributes: Readonly<Record<string, string>>,
) {
  const { QueueUrl: url = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }),
  );
  const { Attributes: made } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
  );
  return { url, arn: made?.['QueueArn'] ?? '' };
}
