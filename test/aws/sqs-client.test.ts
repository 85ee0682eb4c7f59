import { createServer } from 'node:http';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished } from 'vitest';
import { connect, endpointOf, regionOf } from '../../src/aws/sqs-client.ts';

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

it.each([
  ["AWS's own host", 'https://sqs.eu-central-1.amazonaws.com/1/usage', 'eu-central-1'],
  ['a host in China', 'https://sqs.cn-north-1.amazonaws.com.cn/1/usage', 'cn-north-1'],
  ['an endpoint inside a VPC', 'https://vpce-1.sqs.us-east-1.vpce.amazonaws.com/1/q', 'us-east-1'],
  ['a local server', 'http://127.0.0.1:9324/000000000000/q', null],
  ['a name that looks like AWS', 'http://sqs.eu-west-1.amazonaws.com.evil.example/q', null],
])('the region of %s', (_, queueUrl, region) => {
  expect(regionOf(queueUrl)).toBe(region);
});

it('an answer of which the rest never comes is given up', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': 500,
    });
    response.write('{"Messages":[');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const sqs = connect(
    { endpoint: `http://127.0.0.1:${port}`, region: null },
    { requestTimeoutMs: 200, maxSockets: 1 },
  );
  const asked = sqs.send(new ListQueuesCommand({}));
  await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
});
