import { Refusal } from '../refusal.ts';

/**
 * Explains what SQS or its SDK refused, as what the operator can mend; null for any other error.
 * The error's name decides, which is SQS's own code, and not the words of its message; only a region that is missing has no
 * name of its own. It stands apart from the client, because every command explains its failures, and few should wait for the
 * SDK.
 */
export function explainSqs(error: unknown): Refusal | null {
  if (!(error instanceof Error)) return null;
  if (NO_QUEUE.includes(error.name)) {
    return new Refusal(
      'misconfigured',
      `there is no such queue: ${error.message}`,
      'correct SPANLEDGER_QUEUE_URL, and AWS_REGION where it does not fit the address; or make the queue',
    );
  }
  if (error.message === NO_REGION) {
    return new Refusal(
      'misconfigured',
      'AWS_REGION is not set, and the address of the queue does not name a region',
      "set AWS_REGION to the queue's region",
    );
  }
  if (NO_CREDENTIALS.includes(error.name)) {
    return new Refusal(
      'misconfigured',
      `there are no credentials that the queue takes: ${error.message}`,
      "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine's role access",
    );
  }
  if (NO_ACCESS.includes(error.name)) {
    return new Refusal(
      'not_permitted',
      `access to the queue is denied: ${error.message}`,
      'allow sqs:SendMessage to whoever sends; sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes to the worker',
    );
  }
  return null;
}

const NO_QUEUE = ['QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue', 'InvalidAddress'];
/** What the SDK says before it has asked anybody. */
const NO_REGION = 'Region is missing';
const NO_CREDENTIALS = [
  'CredentialsProviderError',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'ExpiredToken',
];
const NO_ACCESS = ['AccessDenied', 'AccessDeniedException'];
