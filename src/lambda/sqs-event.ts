import { z } from 'zod';
import type { QueueMessage } from '../ingest/queue-client.ts';

/** The part of an SQS event that Lambda hands over which is read here; what else AWS adds to it is let be. */
const sqsEvent = z.object({
  Records: z
    .array(
      z.object({
        messageId: z.string(),
        receiptHandle: z.string(),
        body: z.string(),
        messageAttributes: z
          .record(z.string(), z.object({ stringValue: z.string().nullish() }))
          .nullish(),
      }),
    )
    .min(1),
});

/** Throws where the event is none of SQS: whoever wired the function to something else is to see it. */
export function messagesOf(event: unknown): readonly QueueMessage[] {
  const parsed = sqsEvent.safeParse(event);
  if (!parsed.success) {
    throw new Error(
      `the function was invoked with something other than messages of SQS (${parsed.error.issues[0]?.path.join('.')}); make the queue its event source`,
    );
  }
  return parsed.data.Records.map(({ messageAttributes, ...message }) => ({
    ...message,
    attributes: Object.fromEntries(
      Object.entries(messageAttributes ?? {}).flatMap(([name, { stringValue }]) =>
        typeof stringValue === 'string' ? [[name, stringValue] as const] : [],
      ),
    ),
  }));
}
