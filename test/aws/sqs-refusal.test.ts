import { QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { explainSqs } from '../../src/aws/sqs-refusal.ts';

describe('what SQS refuses', () => {
  it('is told apart by the name of its error', () => {
    const gone = new QueueDoesNotExist({ message: 'no queue of that name', $metadata: {} });
    expect(explainSqs(gone)).toMatchObject({ kind: 'misconfigured' });
    expect(explainSqs(named('CredentialsProviderError'))).toMatchObject({ kind: 'misconfigured' });
    expect(explainSqs(named('AccessDenied'))).toMatchObject({ kind: 'not_permitted' });
  });

  it('is never guessed from the words of a message', () => {
    expect(explainSqs(new Error('The specified queue does not exist'))).toBeNull();
  });
});

function named(name: string): Error {
  return Object.assign(new Error('the reason that was given'), { name });
}
