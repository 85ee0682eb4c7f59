import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type {
  ClientOptions,
  Loss,
  NewEvent,
  Trouble,
  UsageClient,
} from '../../src/client/client.ts';
import { openClient } from '../../src/client/client.ts';
import { pause } from '../../src/clock.ts';
import { readBody } from '../../src/events/read-body.ts';
import type { TestQueue } from '../support/queue.ts';
import { freshQueue } from '../support/queue.ts';
import type { QueueProxy } from '../support/queue-proxy.ts';
import { openQueueProxy } from '../support/queue-proxy.ts';

// Of what SQS does, fauxqs lacks the return of message groups and fair queueing itself (facts of its
// version 2.4.1), so what leaves the client is looked at on the way, and SQS's part is not tested.

const usageEvent = (n: number, change: Partial<NewEvent> = {}): NewEvent => ({
  event_id: `evt-${n}`,
  occurred_at: '2026-10-15T12:00:00Z',
  status: 'ok',
  requested_model: 'gpt-4o',
  tenant_id: 'acme',
  usage: { input_tokens: 1000, output_tokens: 100 },
  ...change,
});

interface Scene {
  readonly queue: TestQueue;
  readonly proxy: QueueProxy;
  readonly folder: string;
  readonly losses: Loss[];
  readonly troubles: Trouble[];
  open(change?: Partial<ClientOptions>): UsageClient;
}

async function scene(): Promise<Scene> {
  const queue = await freshQueue();
  const proxy = await openQueueProxy(queue.endpoint);
  onTestFinished(() => proxy.stop());
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-client-'));
  const losses: Loss[] = [];
  const troubles: Trouble[] = [];
  const open = (change: Partial<ClientOptions> = {}) => {
    const client = openClient({
      queueUrl: queue.queueUrl,
      endpoint: proxy.endpoint,
      folder,
      flushMs: 50,
      onLost: (loss) => losses.push(loss),
      onTrouble: (trouble) => troubles.push(trouble),
      ...change,
    });
    onTestFinished(async () => void (await client.close({ deadlineMs: 0 })));
    return client;
  };
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { queue, proxy, folder, losses, troubles, open };
}

function recordAll(client: UsageClient, from: number, count: number): void {
  const answers = ids(from, count).map((_, index) => client.record(usageEvent(from + index)));
  const accepted = answers.filter((answer) => answer.kind === 'accepted');
  expect(accepted.map(({ eventId }) => eventId)).toEqual(ids(from, count));
}

const ids = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `evt-${from + index}`);

/** The ids of all events in the queue, as the worker reads them, each once; empties it. */
async function idsInQueue(queue: TestQueue): Promise<readonly string[]> {
  const found = new Set<string>();
  for (;;) {
    const messages = await queue.client.receive({ waitSeconds: 0, visibilityTimeoutSeconds: 60 });
    if (messages.length === 0) return [...found].sort(byNumber);
    for (const { body, attributes } of messages) {
      const context = { receivedAt: Date.UTC(2026, 10, 1), litellmKey: null, attributes };
      for (const item of readBody(body, context)) {
        found.add(
          item.kind === 'event' ? item.event.eventId : `${item.kind}: ${JSON.stringify(item)}`,
        );
      }
    }
  }
}

const byNumber = (a: string, b: string) => Number(a.slice(4)) - Number(b.slice(4));

const sentEntries = (proxy: QueueProxy) =>
  proxy.calls
    .filter(({ action }) => action === 'SendMessageBatch')
    .flatMap(({ entries }) => entries);

describe('what is recorded', () => {
  it.each(['zstd', 'plain'] as const)('reaches the worker, packed in %s', async (encoding) => {
    const { queue, proxy, open } = await scene();
    const client = open({ encoding });
    recordAll(client, 0, 2_000);
    const closed = await client.close();
    expect(closed).toMatchObject({ accepted: 2_000, sent: 2_000, lost: 0, folderBytes: 0 });
    expect(await idsInQueue(queue)).toEqual(ids(0, 2_000));
    for (const { MessageBody } of sentEntries(proxy)) {
      expect(MessageBody.length).toBeLessThan(65_536);
    }
  });

  it('leaves by itself when its time is up', async () => {
    const { queue, open } = await scene();
    const client = open();
    recordAll(client, 0, 3);
    await vi.waitFor(() => expect(client.status().sent).toBe(3), { timeout: 20_000 });
    expect(await idsInQueue(queue)).toEqual(ids(0, 3));
  });

  it('leaves when a message is full, before its time is up', async () => {
    const { proxy, open } = await scene();
    const client = open({ flushMs: 3_600_000, encoding: 'plain' });
    // 190 bytes each: 64 KiB hold about 340
    recordAll(client, 0, 400);
    await vi.waitFor(() => expect(client.status().sent).toBeGreaterThan(300), { timeout: 20_000 });
    expect(sentEntries(proxy)).toHaveLength(1);
  });

  it('goes under the group of its tenant; tenants with few events share a message without one', async () => {
    const { proxy, open } = await scene();
    const client = open({ encoding: 'plain', flushMs: 3_600_000 });
    for (let n = 0; n < 120; n += 1) client.record(usageEvent(n, { tenant_id: 'loud' }));
    for (let n = 120; n < 240; n += 1) client.record(usageEvent(n, { tenant_id: 'Café Noir' }));
    client.record(usageEvent(240, { tenant_id: 'quiet' }));
    client.record(usageEvent(241, { tenant_id: null }));
    await client.flush();
    const groups = sentEntries(proxy).map(({ MessageGroupId, MessageBody }) => [
      MessageGroupId,
      JSON.parse(MessageBody).events.length,
    ]);
    expect(groups).toEqual([
      ['loud', 120],
      [expect.stringMatching(/^sha256-/), 120],
      [undefined, 2],
    ]);
  });

  it('is refused with a reason where the worker would refuse it, and after a close', async () => {
    const { open } = await scene();
    const client = open();
    expect(client.record(usageEvent(1, { attempt: 0 }))).toMatchObject({
      kind: 'refused',
      reason: 'invalid_field',
      detail: 'attempt: a number (0) is not a whole number from 1 to 1000000',
    });
    await client.close();
    expect(client.record(usageEvent(2))).toMatchObject({ kind: 'refused', reason: 'closed' });
    expect(client.status()).toMatchObject({ accepted: 0, refused: 2 });
  });
});

describe('a queue that fails single messages', () => {
  it('gets them again, and the others only once', async () => {
    const { queue, proxy, open, losses } = await scene();
    const failed = new Map<string, number>();
    proxy.failEntries(({ MessageGroupId = '' }) => {
      const times = (failed.get(MessageGroupId) ?? 0) + 1;
      failed.set(MessageGroupId, times);
      const fails = MessageGroupId === 'tenant-1' && times <= 2;
      return fails ? { Code: 'ServiceUnavailable', SenderFault: false } : null;
    });
    const client = open({ flushMs: 3_600_000 });
    for (let n = 0; n < 360; n += 1) client.record(usageEvent(n, { tenant_id: `tenant-${n % 3}` }));
    expect(await client.flush()).toBe(true);
    expect(await idsInQueue(queue)).toEqual(ids(0, 360));
    expect([...failed]).toEqual([
      ['tenant-0', 1],
      ['tenant-1', 3],
      ['tenant-2', 1],
    ]);
    expect(losses).toEqual([]);
  });

  it('for good: says which events are lost, and sets them aside as lines that can be sent', async () => {
    const { queue, proxy, open, losses, folder } = await scene();
    proxy.failEntries(({ MessageGroupId }) =>
      MessageGroupId === 'acme' ? { Code: 'InvalidMessageContents', SenderFault: true } : null,
    );
    const client = open();
    recordAll(client, 0, 1);
    client.record(usageEvent(1, { tenant_id: 'globex' }));
    for (let n = 2; n < 121; n += 1) client.record(usageEvent(n, { tenant_id: 'globex' }));
    expect(await client.flush()).toBe(true);

    // acme's one event went alone, since globex's had a message of their own
    expect(losses).toEqual([
      {
        reason: 'the queue refused its message: InvalidMessageContents',
        events: [expect.stringContaining('"evt-0"')],
        setAside: true,
      },
    ]);
    expect(client.status()).toMatchObject({ sent: 120, lost: 1, folderBytes: 0 });
    expect(readFileSync(join(folder, 'set-aside.jsonl'), 'utf8')).toBe(`${losses[0]?.events[0]}\n`);
    expect(await idsInQueue(queue)).toEqual(ids(1, 120));
  });
});

describe('while the queue is away', () => {
  it('events go to disk, memory stays within its bound, and all arrive when it is back', async () => {
    const { queue, proxy, open, troubles, losses } = await scene();
    const client = open({ bufferBytes: 100_000 });
    recordAll(client, 0, 100);
    await client.flush();
    proxy.cut();
    let most = 0;
    for (let n = 100; n < 3_000; n += 1) {
      const answer = client.record(usageEvent(n));
      if (answer.kind !== 'accepted' || answer.kept !== 'disk') expect.fail(JSON.stringify(answer));
      most = Math.max(most, client.status().waitingBytes);
    }
    expect(most).toBeGreaterThan(90_000);
    expect(most).toBeLessThanOrEqual(100_000);
    await vi.waitFor(() => expect(client.status().queueAway).toBe(true), { timeout: 20_000 });
    expect(troubles.map(({ kind }) => kind)).toEqual(['queue']);

    // while what is on disk comes back, new events compete with it for memory
    proxy.restore();
    for (let n = 3_000; n < 3_500; n += 1) {
      client.record(usageEvent(n));
      if (n % 10 === 0) await pause(1);
      most = Math.max(most, client.status().waitingBytes);
    }
    expect(most).toBeLessThanOrEqual(100_000);
    expect(await client.flush({ deadlineMs: 60_000 })).toBe(true);
    expect(client.status()).toMatchObject({
      accepted: 3_500,
      sent: 3_500,
      folderBytes: 0,
      queueAway: false,
    });
    expect(await idsInQueue(queue)).toEqual(ids(0, 3_500));
    expect(losses).toEqual([]);
  });

  it('a closed client leaves its events on disk, and the next one sends them', async () => {
    const { queue, proxy, open, folder, losses } = await scene();
    proxy.cut();
    const first = open({ bufferBytes: 20_000 });
    recordAll(first, 0, 500);
    const closed = await first.close({ deadlineMs: 300 });
    expect(closed).toMatchObject({ accepted: 500, sent: 0, lost: 0 });
    expect(readdirSync(folder).every((name) => name.startsWith('usage-0-0-'))).toBe(true);

    proxy.restore();
    const second = open();
    expect(await second.flush({ deadlineMs: 60_000 })).toBe(true);
    expect(second.status()).toMatchObject({ accepted: 0, sent: 500, folderBytes: 0 });
    expect(await idsInQueue(queue)).toEqual(ids(0, 500));
    expect(readdirSync(folder)).toEqual([]);
    expect(losses).toEqual([]);
  });

  it('without a folder: a full memory refuses, and a close says what is lost', async () => {
    const { proxy, open, losses } = await scene();
    proxy.cut();
    const client = open({ folder: null, bufferBytes: 2_000 });
    const answers = Array.from({ length: 20 }, (_, n) => client.record(usageEvent(n)));
    const accepted = answers.filter(({ kind }) => kind === 'accepted');
    // 175 bytes an event: 2,000 hold eleven
    expect(accepted).toHaveLength(11);
    expect(accepted[0]).toMatchObject({ kept: 'memory' });
    expect(answers.at(-1)).toMatchObject({
      reason: 'full',
      detail: expect.stringMatching(
        /^the queue has not taken \d+ bytes that wait in memory, and there is no folder; the event/,
      ),
    });
    expect(await client.close({ deadlineMs: 100 })).toMatchObject({ accepted: 11, lost: 11 });
    expect(losses).toMatchObject([
      { reason: 'the client ended before the queue had it', setAside: false },
    ]);
    expect(losses[0]?.events).toHaveLength(11);
  });

  it('a folder that is full as well refuses, naming it, and goes on when there is room', async () => {
    const { queue, proxy, open, troubles } = await scene();
    proxy.cut();
    const client = open({ bufferBytes: 20_000, folderBytes: 50_000 });
    const answers = Array.from({ length: 400 }, (_, n) => client.record(usageEvent(n)));
    const accepted = answers.filter(({ kind }) => kind === 'accepted');
    expect(accepted.length).toBeLessThan(300);
    expect(client.status().folderBytes).toBeLessThanOrEqual(50_000);
    expect(answers.at(-1)).toMatchObject({
      reason: 'full',
      detail: expect.stringContaining('of the 50000 bytes that are allowed'),
    });
    expect(troubles.map(({ kind }) => kind)).toContain('folder');

    proxy.restore();
    expect(await client.flush({ deadlineMs: 60_000 })).toBe(true);
    expect(client.record(usageEvent(400))).toMatchObject({ kind: 'accepted', kept: 'disk' });
    await client.close();
    expect(await idsInQueue(queue)).toHaveLength(accepted.length + 1);
  });

  it('room is waited for, so that a fast producer need not be refused', async () => {
    const { queue, open } = await scene();
    const client = open({ folder: null, bufferBytes: 20_000 });
    for (let n = 0; n < 600; n += 1) {
      await client.room();
      expect(client.record(usageEvent(n)).kind).toBe('accepted');
    }
    await client.close();
    expect(await idsInQueue(queue)).toEqual(ids(0, 600));
  });
});

describe('what lies in the folder', () => {
  it('and is damaged is set aside, and said to be lost; the rest is sent', async () => {
    const { queue, open, folder, losses } = await scene();
    const good = JSON.stringify(usageEvent(1));
    writeFileSync(join(folder, 'usage-0-0-00000000-1.jsonl'), `${good}\n{"event_id":"evt-2"\n`);
    const client = open();
    expect(await client.flush({ deadlineMs: 20_000 })).toBe(true);
    expect(await idsInQueue(queue)).toEqual(['evt-1']);
    expect(losses).toMatchObject([{ reason: 'its line on disk is damaged', setAside: true }]);
    expect(readdirSync(folder)).toEqual(['set-aside.jsonl']);
  });
});

it.each([
  ['https://sqs.eu-central-1.amazonaws.com/1/usage.fifo', /usage.fifo is a FIFO queue/],
  ['usage', /^queueUrl: "usage" is not a URL$/],
])('the queue %s is refused', (queueUrl, says) => {
  expect(() => openClient({ queueUrl, folder: null })).toThrow(says);
});
