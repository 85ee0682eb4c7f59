import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { connect } from '../../src/aws/sqs-client.ts';
import type { ClientOptions, NewEvent } from '../../src/client/client.ts';
import { openClient } from '../../src/client/client.ts';
import { pause, systemClock } from '../../src/clock.ts';
import { openQueue } from '../../src/ingest/queue-client.ts';
import { benchMessages, CLEAN } from './bench-events.ts';
import type { CountedCall } from './queue-cost-server.ts';

/**
 * What a million events cost on SQS, by counting requests as SQS bills them: each call is one, and one
 * more for every further 64 KiB of message bodies in it, sent or received. The queue server counts, in
 * a process of its own, so the CPU here is the producer's alone (with the consumer's in the mixes).
 *
 *   node test/bench/queue-cost.ts          dollars a million events, and CPU an event beside SendMessage
 *
 * Left out: receives that found nothing. They cost the same whatever is sent (a worker's long polls
 * of 5 s: half a million a month, $0.21 a poller), and fauxqs makes more of them than SQS does.
 */

/** us-east-1, standard queue, after the free million. Fair queues may add $0.10: not verified. */
const DOLLARS_PER_MILLION_REQUESTS = 0.4;
const BILLED_BYTES = 64 * 1024;

export interface QueueCost {
  readonly name: string;
  readonly includes: string;
  readonly events: number;
  readonly messages: number;
  readonly sends: number;
  readonly receives: number;
  readonly deletes: number;
  readonly dollarsPerMillion: number;
}

export interface ProducerCpu {
  readonly name: string;
  /** Microseconds an event, user and system: median, least and most of the rounds. */
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

interface Address {
  readonly queueUrl: string;
  readonly endpoint: string;
}

interface Mix {
  readonly name: string;
  readonly tenants: number;
  /** Events a second; null for as many as go. */
  readonly perSecond: number | null;
  readonly events: number;
}

const MIXES: readonly Mix[] = [
  { name: 'full rate, 60 tenants, few have most', tenants: 60, perSecond: null, events: 40_000 },
  { name: '400 tenants with one event in 2 s each', tenants: 400, perSecond: 200, events: 3_000 },
  { name: '400 tenants with one event in 20 s each', tenants: 400, perSecond: 20, events: 300 },
  { name: 'one small producer, 2 events a second', tenants: 5, perSecond: 2, events: 30 },
];

/** The rows of the table: every mix in the default form, the first in the others, too. */
export async function measureQueueCost(): Promise<readonly QueueCost[]> {
  const [full, ...slow] = MIXES;
  if (full === undefined) return [];
  const rows = [await measureMix(full, 'zstd')];
  // Their pace leaves the machine idle, and a queue of its own each: they do not feel one another.
  rows.push(...(await Promise.all(slow.map((mix) => measureMix(mix, 'zstd')))));
  rows.push(await measureMix(full, 'plain'));
  rows.push(await measureMix({ ...full, events: 2_000 }, 'SendMessageBatch of 10'));
  rows.push(await measureMix({ ...full, events: 2_000 }, 'SendMessage'));
  return rows;
}

type Form = 'zstd' | 'plain' | 'SendMessageBatch of 10' | 'SendMessage';

async function measureMix(mix: Mix, form: Form): Promise<QueueCost> {
  return withServer(async (address, calls) => {
    const done = new AbortController();
    const consumer = consume(address, done.signal);
    await produce(address, eventsOf(mix), { form, perSecond: mix.perSecond });
    done.abort();
    await consumer;
    return rowOf(mix, form, await calls());
  });
}

function rowOf(mix: Mix, form: Form, calls: readonly CountedCall[]): QueueCost {
  const billed = (action: string) =>
    calls
      .filter((call) => call.action.startsWith(action))
      .filter((call) => action !== 'ReceiveMessage' || call.payloadBytes > 0)
      .reduce((sum, call) => sum + Math.max(1, Math.ceil(call.payloadBytes / BILLED_BYTES)), 0);
  const [sends, receives, deletes] = ['SendMessage', 'ReceiveMessage', 'DeleteMessage'].map(billed);
  const requests = (sends ?? 0) + (receives ?? 0) + (deletes ?? 0);
  return {
    name: `${mix.name}: ${form}`,
    includes: 'send, receive and delete requests, each 64 KiB one',
    events: mix.events,
    messages: calls.reduce((sum, call) => sum + call.sent, 0),
    sends: sends ?? 0,
    receives: receives ?? 0,
    deletes: deletes ?? 0,
    dollarsPerMillion:
      Math.round((requests / mix.events) * DOLLARS_PER_MILLION_REQUESTS * 1e5) / 1e5,
  };
}

function eventsOf(mix: Mix): readonly NewEvent[] {
  const events = eventsLike(mix.events, mix.tenants);
  if (mix.perSecond === null) return events;
  return events.map((event, n) => ({ ...event, tenant_id: `tenant-${(n * 7) % mix.tenants}` }));
}

/** The bench's own events, each as an application would hand it over. */
function eventsLike(count: number, tenants: number): readonly NewEvent[] {
  const { bodies } = benchMessages(count, { ...CLEAN, shape: 'single', tenants });
  return bodies.map((json) => JSON.parse(json));
}

async function produce(
  address: Address,
  events: readonly NewEvent[],
  how: { readonly form: Form; readonly perSecond: number | null },
): Promise<void> {
  if (how.form === 'SendMessage' || how.form === 'SendMessageBatch of 10') {
    return sendNaively(address, events, how.form === 'SendMessage' ? 1 : 10);
  }
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-cost-'));
  await recordAll({ ...address, folder, encoding: how.form }, events, how.perSecond);
  rmSync(folder, { recursive: true });
}

async function recordAll(
  options: ClientOptions,
  events: readonly NewEvent[],
  perSecond: number | null,
): Promise<void> {
  const client = openClient(options);
  const begunAt = systemClock();
  for (const [n, event] of events.entries()) {
    if (perSecond !== null)
      await pause(Math.max(0, begunAt + (n * 1000) / perSecond - systemClock()));
    else if (n % 100 === 0) await pause(0);
    await client.room();
    const answer = client.record(event);
    if (answer.kind === 'refused') throw new Error(answer.detail);
  }
  const { lost } = await client.close({ deadlineMs: 60_000 });
  if (lost > 0) throw new Error(`${lost} events were lost`);
}

/** What an application does at first: a call an event, or ten events a call, 16 calls under way. */
async function sendNaively(address: Address, events: readonly NewEvent[], perCall: 1 | 10) {
  const { queueUrl: QueueUrl, endpoint } = address;
  const sqs = connect({ endpoint, region: null }, { requestTimeoutMs: 30_000, maxSockets: 16 });
  let next = 0;
  const lane = async () => {
    while (next < events.length) {
      const bodies = events.slice(next, next + perCall).map((event) => JSON.stringify(event));
      next += perCall;
      const Entries = bodies.map((MessageBody, n) => ({ Id: String(n), MessageBody }));
      if (perCall === 1) {
        await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: bodies[0] ?? '' }));
      } else {
        await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  sqs.destroy();
}

/** One poller, as an idle worker has; it deletes what it received at once. */
async function consume(address: Address, done: AbortSignal): Promise<void> {
  const queue = openQueue({ ...address, region: null, pollers: 1 });
  for (;;) {
    const messages = await queue.receive({ waitSeconds: 1, visibilityTimeoutSeconds: 60 });
    if (messages.length > 0) await queue.delete(messages.map((message) => message.receiptHandle));
    else if (done.aborted) break;
  }
  queue.close();
}

async function withServer<Answer>(
  work: (address: Address, calls: () => Promise<readonly CountedCall[]>) => Promise<Answer>,
): Promise<Answer> {
  const server = fork(fileURLToPath(new URL('queue-cost-server.ts', import.meta.url)));
  const [address]: Address[] = await once(server, 'message');
  if (address === undefined) throw new Error('the queue server did not start');
  try {
    return await work(address, async () => {
      server.send('calls');
      const [calls]: CountedCall[][] = await once(server, 'message');
      return calls ?? [];
    });
  } finally {
    server.disconnect();
  }
}

const ROUNDS = 3;
const FORMS = [
  { name: 'client, zstd, on disk', events: 20_000 },
  { name: 'client, zstd, in memory only', events: 20_000 },
  { name: 'client, plain, on disk', events: 20_000 },
  { name: 'SendMessageBatch of 10', events: 4_000 },
  { name: 'SendMessage', events: 2_000 },
] as const;

/** Each producer in a process of its own, by turns, after as many events that are not counted. */
export async function measureProducerCpu(): Promise<readonly ProducerCpu[]> {
  const micros = new Map<string, number[]>(FORMS.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name } of FORMS) {
      await withServer(async (address) => {
        const child = fork(fileURLToPath(import.meta.url), [name, JSON.stringify(address)]);
        const [measured]: number[] = await once(child, 'message');
        micros.get(name)?.push(measured ?? Number.NaN);
      });
    }
  }
  return [...micros].map(([name, measured]) => {
    const [min = 0, ...rest] = measured.toSorted((a, b) => a - b);
    return { name, min, median: [min, ...rest][(ROUNDS - 1) / 2] ?? min, max: rest.at(-1) ?? min };
  });
}

/** In the child: CPU of one producer, from the first event recorded to the last one sent. */
async function measureOne(name: string, address: Address): Promise<number> {
  const count = FORMS.find((form) => form.name === name)?.events ?? 0;
  const events = eventsLike(count, CLEAN.tenants);
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-cost-'));
  const encoding = name.includes('plain') ? 'plain' : 'zstd';
  const run = () => {
    if (name === 'SendMessage') return sendNaively(address, events, 1);
    if (name === 'SendMessageBatch of 10') return sendNaively(address, events, 10);
    const place = name.includes('memory') ? null : folder;
    return recordAll({ ...address, folder: place, encoding }, events, null);
  };
  await run();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  rmSync(folder, { recursive: true });
  return (user + system) / count;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , name, address] = process.argv;
  if (name !== undefined) {
    process.send?.(await measureOne(name, JSON.parse(address ?? '')));
    process.disconnect?.();
  } else {
    console.log(
      'SQS requests and dollars a million events, standard queue at $0.40 a million requests',
    );
    console.table(await measureQueueCost(), [
      'name',
      'events',
      'messages',
      'sends',
      'receives',
      'deletes',
      'dollarsPerMillion',
    ]);
    console.log(`CPU of the producer, microseconds an event, ${ROUNDS} rounds by turns`);
    console.table(await measureProducerCpu());
  }
}
