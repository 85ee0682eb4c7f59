import { expect, it } from 'vitest';
import { endpointOf } from '../src/sqs-client.ts';

it.each([
  ["AWS's own host", 'https://sqs.eu-central-1.amazonaws.com/1/usage', null, null],
  ['an endpoint inside a VPC', 'https://vpce-1.sqs.us-east-1.vpce.amazonaws.com/1/q', null, null],
  ['a local server', 'http://127.0.0.1:9324/000000000000/q', null, 'http://127.0.0.1:9324'],
  [
    'a name that looks like AWS',
    'http://amazonaws.com.evil.example/q',
    null,
    'http://amazonaws.com.evil.example',
  ],
  [
    'an endpoint that is given',
    'http://sqs.localhost:1/0/q',
    'http://127.0.0.1:1',
    'http://127.0.0.1:1',
  ],
])('the endpoint of %s', (_, queueUrl, given, expected) => {
  expect(endpointOf(queueUrl, given)).toBe(expected);
});
