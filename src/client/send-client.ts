import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SqsAddress } from '../aws/sqs-client.ts';
import { connect } from '../aws/sqs-client.ts';

interface OutgoingMessage {
  readonly body: string;
  /** The message group; null makes the message one of its own for SQS's fairness. */
  readonly group: string | null;
}

/** One message that a call did not bring into the queue. */
export interface UnsentMessage {
  /** Its place in the call. */
  readonly index: number;
  /** The queue says that the message itself is wrong; sending it again cannot help. */
  readonly isFinal: boolean;
  readonly code: string;
  /** The places of its events that are not there, where all others are; left out where none is. */
  readonly only?: readonly number[];
}

/** The most that one call takes; ten of ours stay below its 1 MiB. */
export const MESSAGES_PER_CALL = 10;

/** One queue, as a producer uses it. */
export interface SendClient {
  /**
   * Sends at most ten messages, and answers those that are not in the queue. Rejects when none may
   * be.
   */
  send(messages: readonly OutgoingMessage[], stop: AbortSignal): Promise<readonly UnsentMessage[]>;
  close(): void;
}

/** The caller retries, with what it knows of the other messages; the SDK's own retries come first. */
export function openSendClient(
  options: SqsAddress & { readonly queueUrl: string; readonly callsUnderWay: number },
): SendClient {
  const sqs = connect(options, { requestTimeoutMs: 10_000, maxSockets: options.callsUnderWay });
  return {
    async send(messages, stop) {
      const Entries = messages.map(({ body, group }, index) => ({
        Id: String(index),
        MessageBody: body,
        ...(group === null ? {} : { MessageGroupId: group }),
      }));
      const command = new SendMessageBatchCommand({ QueueUrl: options.queueUrl, Entries });
      const { Successful = [], Failed = [] } = await sqs.send(command, { abortSignal: stop });
      const sent = new Set(Successful.map((entry) => entry.Id));
      // An entry that the answer does not name is not known to be in the queue either.
      return Entries.filter((entry) => !sent.has(entry.Id)).map((entry) => {
        const failed = Failed.find(({ Id }) => Id === entry.Id);
        const code = failed?.Code ?? 'not answered';
        return { index: Number(entry.Id), isFinal: failed?.SenderFault === true, code };
      });
    },
    close: () => sqs.destroy(),
  };
}
