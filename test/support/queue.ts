import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { SQSClient } from '@aws-sdk/client-sqs';
import {
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { onTestFinished } from 'vitest';
import { connect } from '../../src/aws/sqs-client.ts';
import { startLocalQueue } from '../../src/demo/local-queue.ts';
import type { QueueClient } from '../../src/ingest/queue-client.ts';
import { openQueue } from '../../src/ingest/queue-client.ts';

/** A queue server of the test's own, reached over HTTP through the real SDK. */
export interface TestQueue {
  readonly endpoint: string;
  readonly queueUrl: string;
  /** The client that the worker uses. */
  readonly client: QueueClient;
  send(body: string, attributes?: Readonly<Record<string, string>>): Promise<void>;
  sendAll(bodies: readonly string[]): Promise<void>;
  /** Bodies of the messages in the dead-letter queue. */
  deadLetters(): Promise<readonly string[]>;
  /** What a child process needs to reach this queue. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a queue for one test; it ends with the test. */
export async function freshQueue(): Promise<TestQueue> {
  const server = await startLocalQueue();
  const { endpoint, queueUrl } = server;
  const sqs = connect({ endpoint, region: null }, { requestTimeoutMs: 10_000, maxSockets: 8 });
  const client = openQueue({ queueUrl, endpoint, region: null, pollers: 4 });
  onTestFinished(async () => {
    client.close();
    sqs.destroy();
    await server.stop();
  });
  return {
    endpoint,
    queueUrl,
    client,
    send: (body, attributes = {}) => send(sqs, queueUrl, { body, attributes }),
    sendAll: (bodies) => sendAll(sqs, queueUrl, bodies),
    deadLetters: () => deadLetters(sqs, queueUrl),
    environment: { AWS_ENDPOINT_URL_SQS: endpoint, SPANLEDGER_QUEUE_URL: queueUrl },
  };
}

/** Returns the body of a pack, plain or compressed, as a producer sends it. */
export function packBody(
  events: readonly unknown[],
  encoding: 'plain' | 'gzip' | 'zstd' = 'plain',
): string {
  if (encoding === 'plain') return JSON.stringify({ events });
  const text = JSON.stringify(events);
  const bytes = encoding === 'gzip' ? gzipSync(text) : zstdCompressSync(text);
  return JSON.stringify({ encoding, events: bytes.toString('base64') });
}

async function send(
  sqs: SQSClient,
  queueUrl: string,
  message: { readonly body: string; readonly attributes: Readonly<Record<string, string>> },
): Promise<void> {
  const attributes = Object.entries(message.attributes).map(
    ([name, StringValue]) => [name, { DataType: 'String', StringValue }] as const,
  );
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: message.body,
      ...(attributes.length === 0 ? {} : { MessageAttributes: Object.fromEntries(attributes) }),
    }),
  );
}

/** A batch of SQS holds ten messages and 1 MiB in all. */
const BATCH_CHARACTERS = 900_000;

async function sendAll(sqs: SQSClient, queueUrl: string, bodies: readonly string[]): Promise<void> {
  let batch: string[] = [];
  let size = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    const Entries = batch.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    if ((answer.Failed ?? []).length > 0) throw new Error('the queue refused a message');
    batch = [];
    size = 0;
  };
  for (const body of bodies) {
    if (batch.length === 10 || size + body.length > BATCH_CHARACTERS) await flush();
    batch.push(body);
    size += body.length;
  }
  await flush();
}

async function deadLetters(sqs: SQSClient, queueUrl: string): Promise<readonly string[]> {
  const answer = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: `${queueUrl}-dead-letters`,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 0,
    }),
  );
  return (answer.Messages ?? []).map((message) => message.Body ?? '');
}
