import { gzipSync, zstdCompressSync } from 'node:zlib';
import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { connect } from '../aws/sqs-client.ts';
import type { LocalQueue } from './local-queue.ts';
import type { Traffic } from './traffic.ts';

/** SQS bills each 64 KiB of a call; a little is left for attributes. */
const PACK_BYTES = 60 * 1024;
const MESSAGES_A_CALL = 10;
/** A call as a whole may hold this much. */
const CALL_BYTES = 1024 * 1024;

/** Sends the traffic in every form that a producer may choose: alone, packed, compressed. */
export async function sendTraffic(
  queue: LocalQueue,
  traffic: Traffic,
  onSent: (messages: number) => void,
): Promise<number> {
  const client = connect(
    { endpoint: queue.endpoint, region: null },
    { requestTimeoutMs: 10_000, maxSockets: 4 },
  );
  const bodies = [...packs(traffic), ...traffic.malformed];
  let sent = 0;
  try {
    for (const call of calls(bodies)) {
      const Entries = call.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
      const answer = await client.send(
        new SendMessageBatchCommand({ QueueUrl: queue.queueUrl, Entries }),
      );
      const failed = answer.Failed?.[0];
      if (failed !== undefined) throw new Error(`message not sent: ${failed.Message}`);
      sent += call.length;
      onSent(sent);
    }
  } finally {
    client.destroy();
  }
  return sent;
}

/** A tenth of the events travels alone; the rest in packs, plain, gzip and zstd by turns. */
function packs(traffic: Traffic): string[] {
  const alone = traffic.events.filter((_, index) => index % 10 === 0);
  const together = traffic.events.filter((_, index) => index % 10 !== 0);
  const bodies = alone.map((event) => JSON.stringify(event));
  let pack: string[] = [];
  let bytes = 0;
  const flush = () => {
    if (pack.length > 0) bodies.push(encodePack(pack, bodies.length));
    pack = [];
    bytes = 0;
  };
  for (const event of together) {
    const json = JSON.stringify(event);
    if (bytes + json.length > PACK_BYTES) flush();
    pack.push(json);
    bytes += json.length + 1;
  }
  flush();
  return bodies;
}

function encodePack(events: readonly string[], turn: number): string {
  const array = `[${events.join(',')}]`;
  if (turn % 3 === 0) return `{"events":${array}}`;
  const encoding = turn % 3 === 1 ? 'gzip' : 'zstd';
  const bytes = encoding === 'gzip' ? gzipSync(array) : zstdCompressSync(array);
  return JSON.stringify({ encoding, events: bytes.toString('base64') });
}

function calls(bodies: readonly string[]): string[][] {
  const result: string[][] = [];
  let call: string[] = [];
  let bytes = 0;
  for (const body of bodies) {
    if (call.length === MESSAGES_A_CALL || bytes + body.length > CALL_BYTES) {
      result.push(call);
      call = [];
      bytes = 0;
    }
    call.push(body);
    bytes += body.length;
  }
  if (call.length > 0) result.push(call);
  return result;
}
