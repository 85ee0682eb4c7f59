import type { Message } from '@aws-sdk/client-sqs';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import type { SqsAddress } from '../aws/sqs-client.ts';
import { connect } from '../aws/sqs-client.ts';

/** One received message; its receipt handle is good for this receive only. */
export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** Values of the text attributes by name, such as a content type. */
  readonly attributes: Readonly<Record<string, string>>;
}

interface ReceiveOptions {
  /** Seconds that SQS may wait for a message, 0 to 20. */
  readonly waitSeconds: number;
  /** Seconds in which nobody else receives the message. */
  readonly visibilityTimeoutSeconds: number;
}

/** What a batch call did not do, by receipt handle. */
export interface FailedHandle {
  readonly receiptHandle: string;
  /** The handle is gone or wrong; trying again cannot help. */
  readonly isFinal: boolean;
  readonly code: string;
}

/** One queue, as the worker uses it. */
export interface QueueClient {
  /** Receives at most ten messages. */
  receive(options: ReceiveOptions): Promise<readonly QueueMessage[]>;
  /** Takes at most ten handles. */
  delete(receiptHandles: readonly string[]): Promise<readonly FailedHandle[]>;
  /** Takes at most ten handles; 0 seconds gives the messages back. */
  setVisibility(
    receiptHandles: readonly string[],
    seconds: number,
  ): Promise<readonly FailedHandle[]>;
  /** Messages waiting, in flight and delayed; approximate, as SQS says. */
  depth(): Promise<number>;
  close(): void;
}

export interface QueueOptions extends SqsAddress {
  readonly queueUrl: string;
  /** Receives under way at most. */
  readonly pollers: number;
}

/** The most that one SQS call takes. */
export const MESSAGES_PER_CALL = 10;

/**
 * Opens a client on one queue. Long polls occupy their sockets, so receiving has a client of its
 * own; acknowledging never waits behind it, and drains with a client that nobody aborts.
 */
export function openQueue(options: QueueOptions): QueueClient {
  const receiving = connect(options, {
    // More than twice the longest poll; the SDK tries three times before we hear of it.
    requestTimeoutMs: 12_000,
    maxSockets: options.pollers + 2,
  });
  const acknowledging = connect(options, { requestTimeoutMs: 10_000, maxSockets: 16 });
  const { queueUrl } = options;
  return {
    async receive({ waitSeconds, visibilityTimeoutSeconds }) {
      const answer = await receiving.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: MESSAGES_PER_CALL,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: visibilityTimeoutSeconds,
          MessageAttributeNames: ['All'],
        }),
      );
      return (answer.Messages ?? []).flatMap(toQueueMessage);
    },
    async delete(receiptHandles) {
      const Entries = entriesWithin(receiptHandles);
      const command = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries });
      return failedOf(await acknowledging.send(command), receiptHandles);
    },
    async setVisibility(receiptHandles, seconds) {
      const Entries = entriesWithin(receiptHandles).map((entry) => ({
        ...entry,
        VisibilityTimeout: seconds,
      }));
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries });
      return failedOf(await acknowledging.send(command), receiptHandles);
    },
    async depth() {
      const { Attributes = {} } = await acknowledging.send(
        new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...DEPTHS] }),
      );
      return DEPTHS.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
    },
    close() {
      receiving.destroy();
      acknowledging.destroy();
    },
  };
}

const DEPTHS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

function toQueueMessage(message: Message): QueueMessage[] {
  if (message.ReceiptHandle === undefined) return [];
  const attributes = Object.entries(message.MessageAttributes ?? {}).flatMap(([name, value]) =>
    value.StringValue === undefined ? [] : [[name, value.StringValue] as const],
  );
  return [
    {
      messageId: message.MessageId ?? '',
      receiptHandle: message.ReceiptHandle,
      body: message.Body ?? '',
      attributes: Object.fromEntries(attributes),
    },
  ];
}

function entriesWithin(receiptHandles: readonly string[]) {
  return receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
}

function failedOf(
  answer: {
    readonly Failed?:
      | readonly {
          Id?: string | undefined;
          SenderFault?: boolean | undefined;
          Code?: string | undefined;
        }[]
      | undefined;
  },
  receiptHandles: readonly string[],
): readonly FailedHandle[] {
  return (answer.Failed ?? []).flatMap((failed) => {
    const receiptHandle = receiptHandles[Number(failed.Id)];
    if (receiptHandle === undefined) return [];
    return [{ receiptHandle, isFinal: failed.SenderFault === true, code: failed.Code ?? '' }];
  });
}
