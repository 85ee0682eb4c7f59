import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** The function's timeout; a queue that calls it keeps a message invisible for six times as long. */
export const FUNCTION_TIMEOUT = Duration.seconds(60);

/**
 * A receive may be counted that nobody saw, and throttled deliveries count, too. Ten leave room for both before a
 * message is put aside.
 */
const MOST_RECEIVES = 10;

/** The usage queue and that of Stripe's events, each with its dead letters. */
export class Queues extends Construct {
  readonly key: kms.Key;
  readonly usage: sqs.Queue;
  readonly usageDeadLetters: sqs.Queue;
  readonly stripeEvents: sqs.Queue;
  readonly stripeDeadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, props: { readonly stripeEventBus: string }) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      enableKeyRotation: true,
      description: 'Spanledger queues',
    });
    [this.usage, this.usageDeadLetters] = this.#withDeadLetters('Usage');
    [this.stripeEvents, this.stripeDeadLetters] = this.#withDeadLetters('StripeEvents');
    // This one chooses among events of a bus, where what does not fit stays on the bus for others. The usage queue
    // must never be filtered: what a filter of its consumer does not match is deleted unseen.
    new events.Rule(this, 'FromStripe', {
      eventBus: events.EventBus.fromEventBusName(this, 'StripeBus', props.stripeEventBus),
      eventPattern: { source: events.Match.prefix('aws.partner/stripe.com') },
      targets: [
        new targets.SqsQueue(this.stripeEvents, {
          deadLetterQueue: this.stripeDeadLetters,
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
  }

  /**
   * Of a standard queue a dead letter keeps the time at which it was first sent, so its queue must keep it longer:
   * SQS keeps nothing longer than 14 days, and the queue itself therefore ten.
   */
  #withDeadLetters(name: string): readonly [sqs.Queue, sqs.Queue] {
    const shared = {
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: this.key,
      dataKeyReuse: Duration.hours(1),
      enforceSSL: true,
    };
    const deadLetters = new sqs.Queue(this, `${name}DeadLetters`, {
      ...shared,
      retentionPeriod: Duration.days(14),
    });
    const queue = new sqs.Queue(this, name, {
      ...shared,
      retentionPeriod: Duration.days(10),
      visibilityTimeout: Duration.seconds(6 * FUNCTION_TIMEOUT.toSeconds()),
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: MOST_RECEIVES },
    });
    return [queue, deadLetters];
  }
}
