import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { connect, type SqsAddress } from '../aws/sqs-client.ts';
import { present } from '../present.ts';
import type { SettledQueue } from './settings-answer.ts';

/** A message that fails so often goes to the dead letters; the worker isolates a bad event long before. */
const MOST_RECEIVES = 10;
const DAY_SECONDS = 86_400;
/** A dead letter keeps the time at which it was first sent, so its queue keeps it longer; 14 days are SQS's most. */
const RETENTION_DAYS = { queue: 10, deadLetters: 14 };

/** Finds the queue of this name, or makes it with its dead-letter queue. What SQS refuses is thrown as it comes. */
export async function makeQueue(name: string, address: SqsAddress): Promise<SettledQueue> {
  const sqs = connect(address, { requestTimeoutMs: 10_000, maxSockets: 2 });
  try {
    const found = await urlOf(sqs, name);
    if (found === null) return await createBoth(sqs, name);
    const dead_letters = await deadLettersOf(sqs, found);
    return { queue_url: found, state: 'found', dead_letters };
  } finally {
    sqs.destroy();
  }
}

async function urlOf(sqs: SQSClient, name: string): Promise<string | null> {
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    return QueueUrl ?? null;
  } catch (error) {
    const isAbsent = error instanceof Error && ABSENT.includes(error.name);
    if (isAbsent) return null;
    throw error;
  }
}

const ABSENT = ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'];

async function deadLettersOf(sqs: SQSClient, queueUrl: string): Promise<string | null> {
  const policy = await attributeOf(sqs, queueUrl, 'RedrivePolicy');
  if (policy === undefined) return null;
  const { deadLetterTargetArn: arn } = JSON.parse(policy) as { deadLetterTargetArn?: string };
  return arn?.split(':').at(-1) ?? null;
}

async function createBoth(sqs: SQSClient, name: string): Promise<SettledQueue> {
  const dead_letters = `${name}-dead-letters`;
  const keptFor = (days: number) => ({ MessageRetentionPeriod: String(days * DAY_SECONDS) });
  const dead = await create(sqs, dead_letters, keptFor(RETENTION_DAYS.deadLetters));
  const arn = present(await attributeOf(sqs, dead, 'QueueArn'), 'the address of a queue');
  const redrive = { deadLetterTargetArn: arn, maxReceiveCount: MOST_RECEIVES };
  const queue_url = await create(sqs, name, {
    ...keptFor(RETENTION_DAYS.queue),
    ReceiveMessageWaitTimeSeconds: '20',
    RedrivePolicy: JSON.stringify(redrive),
  });
  return { queue_url, state: 'made', dead_letters };
}

async function create(
  sqs: SQSClient,
  name: string,
  attributes: Readonly<Record<string, string>>,
): Promise<string> {
  const command = new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } });
  return present((await sqs.send(command)).QueueUrl, 'the address of a queue');
}

async function attributeOf(
  sqs: SQSClient,
  QueueUrl: string,
  name: 'QueueArn' | 'RedrivePolicy',
): Promise<string | undefined> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [name] });
  return (await sqs.send(command)).Attributes?.[name];
}
