import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendAnswer } from '../../src/ingest/send-answer.ts';
import { cli, cliProcess } from '../support/cli.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';
import { work } from '../support/worker.ts';

function fileOf(...lines: readonly unknown[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-send-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  const file = join(folder, 'events.jsonl');
  writeFileSync(file, `${text.join('\n')}\n`);
  return file;
}

it('sends what a file holds, and names every line that it refuses', async () => {
  const queue = await freshQueue();
  const file = fileOf(
    nativeEvent({ event_id: 'evt-1' }),
    'not JSON',
    '',
    nativeEvent({ event_id: 'evt-2', attempt: 0 }),
    nativeEvent({ event_id: undefined }),
    '17',
    nativeEvent({ event_id: 'evt-3', tenant_id: 'globex' }),
  );
  const { exitCode, stdout } = await cli(['send', file, '--json'], queue.environment);
  expect(sendAnswer.parse(JSON.parse(stdout))).toEqual({
    sent: 2,
    refused: 4,
    not_sent: 0,
    refusals: [
      { line: 2, reason: 'not_json', detail: 'it is not JSON: "not JSON"' },
      {
        line: 4,
        reason: 'invalid_field',
        detail: 'attempt: a number (0) is not a whole number from 1 to 1000000',
      },
      {
        line: 5,
        reason: 'invalid_field',
        detail: 'event_id: is missing; without one, a file that is sent again bills twice',
      },
      { line: 6, reason: 'invalid_field', detail: 'event: a number (17) is not a JSON object' },
    ],
  });
  expect(exitCode).toBe(1);

  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  expect(await work(database, queue.client)).toMatchObject({ posted: 2, quarantined: 0 });
});

it('says in a line what it did, and may be run again: the ledger knows the events', async () => {
  const queue = await freshQueue();
  const events = Array.from({ length: 300 }, (_, n) => nativeEvent({ event_id: `evt-${n}` }));
  const file = fileOf(...events);
  for (const encoding of ['zstd', 'plain']) {
    const sent = await cli(['send', file, '--encoding', encoding], queue.environment);
    expect(sent).toMatchObject({ exitCode: 0, stdout: '300 events sent, 0 refused\n', stderr: '' });
  }
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  expect(await work(database, queue.client)).toMatchObject({ posted: 300, duplicate: 300 });
});

it('exits with 1 where the queue does not take it in time, and says what to do', async () => {
  const away = { SPANLEDGER_QUEUE_URL: 'http://127.0.0.1:1/000000000000/usage' };
  const { exitCode, stdout, stderr } = await cli(
    ['send', fileOf(nativeEvent()), '--wait', '1'],
    away,
  );
  expect(exitCode).toBe(1);
  expect(stdout).toBe(
    '0 events sent, 0 refused\n1 event did not reach the queue; send the file again\n',
  );
  expect(stderr).toContain('queue away; waiting');
});

it('exits with 2 for a file that is not there', async () => {
  const away = { SPANLEDGER_QUEUE_URL: 'http://127.0.0.1:1/000000000000/usage' };
  const { exitCode, stderr } = await cli(['send', '/does/not/exist'], away);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('cannot open /does/not/exist: there is no such file');
});

describe('what cannot work is said at once, with what to correct', () => {
  it('a queue that does not exist', async () => {
    const { environment } = await freshQueue();
    const missing = `${environment['SPANLEDGER_QUEUE_URL']}-of-nobody`;
    const { exitCode, stderr } = await cli(['send', fileOf(nativeEvent())], {
      ...environment,
      SPANLEDGER_QUEUE_URL: missing,
    });
    expect(stderr).toContain('error: there is no such queue: ');
    expect(stderr).toContain('correct SPANLEDGER_QUEUE_URL');
    expect(exitCode).toBe(2);
  });

  it('a region that neither the environment nor the address names', async () => {
    // The SDK looks for a region in the environment of its process and in files of its home.
    const { exitCode, stderr } = await cliProcess(['send', fileOf(nativeEvent())], {
      SPANLEDGER_QUEUE_URL: 'https://queue.example.amazonaws.com/123456789012/usage',
      HOME: tmpdir(),
    });
    expect(stderr).toContain('error: AWS_REGION is not set');
    expect(stderr).toContain("set AWS_REGION to the queue's region");
    expect(exitCode).toBe(2);
  });
});
