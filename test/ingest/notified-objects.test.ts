import { gzipSync } from 'node:zlib';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { openObjects } from '../../src/ingest/object-client.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { freshQueue } from '../support/queue.ts';
import { startS3 } from '../support/s3-server.ts';
import { brokenLaws, work } from '../support/worker.ts';

const LOG = {
  schemaType: 'ModelInvocationLog',
  timestamp: '2026-10-15T12:00:00Z',
  modelId: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
  input: { inputTokenCount: 500 },
  output: { outputTokenCount: 100 },
  requestMetadata: { tenant_id: 'acme' },
};

function notification(...keys: readonly string[]): string {
  const records = keys.map((key) => ({
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'logs' }, object: { key: encodeURIComponent(key), size: 1 } },
  }));
  return JSON.stringify({ Records: records });
}

it('the worker fetches what a notification of S3 names, compressed and line by line', async () => {
  // given an object with two logs, one with text that a log counts, and a notification of each
  const s3 = await startS3();
  s3.makeBucket('logs');
  for (const [name, value] of Object.entries(s3.environment)) process.env[name] = value;
  const client = new S3Client({
    endpoint: s3.endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
  });
  onTestFinished(() => client.destroy());
  const lines = ['b-1', 'b-2'].map((requestId) => JSON.stringify({ ...LOG, requestId })).join('\n');
  const put = { Bucket: 'logs', Key: 'AWS logs/1.json.gz', Body: gzipSync(lines) };
  await client.send(new PutObjectCommand(put));
  const result = {
    ...{ recordId: 'r1', modelInput: {} },
    modelOutput: { usage: { inputTokens: 20, outputTokens: 6 } },
  };
  const results = 'results/model=amazon.nova-lite-v1:0/job-1/asked.jsonl.out';
  const batch = { Bucket: 'logs', Key: results, Body: JSON.stringify(result) };
  await client.send(new PutObjectCommand(batch));
  const [database, queue] = [await freshDatabase({ connections: 6 }), await freshQueue()];
  await queue.sendAll([
    notification('AWS logs/1.json.gz', 'AWS logs/data/1_input.json.gz'),
    notification('AWS logs/gone.json.gz'),
    notification(results),
  ]);

  // when a worker that may fetch objects consumes them
  const objects = openObjects(s3.endpoint);
  const answer = await work(database, queue.client, { objects });
  objects.close();

  // then all calls are posted, one under the model of its key, and what is gone waits as its notification
  expect(answer).toMatchObject({ messages: 3, posted: 3, empty: 1, quarantined: 1 });
  expect(
    await textRows(database, `select requested_model from entries where source = 'bedrock_batch'`),
  ).toEqual([{ requested_model: 'amazon.nova-lite-v1:0' }]);
  const [waiting] = await textRows(database, 'select detail, body from quarantine');
  expect(waiting?.['detail']).toContain('s3://logs/AWS logs/gone.json.gz: cannot be fetched');
  expect(waiting?.['body']).toBe(
    '{"Records":[{"s3":{"bucket":{"name":"logs"},"object":{"key":"AWS%20logs%2Fgone.json.gz"}}}]}',
  );
  expect(await brokenLaws(database)).toEqual([]);
});

it('without leave a notification waits in quarantine, with what to do', async () => {
  const [database, queue] = [await freshDatabase({ connections: 6 }), await freshQueue()];
  await queue.sendAll([notification('AWS logs/1.json.gz')]);
  expect(await work(database, queue.client)).toMatchObject({ messages: 1, quarantined: 1 });
  const [waiting] = await textRows(database, 'select detail from quarantine');
  expect(waiting?.['detail']).toContain('SPANLEDGER_FETCH_OBJECTS=yes');
});
