import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ClientOptions, UnmeteredCall, UsageClient } from '../../src/client/client.ts';
import { openClient } from '../../src/client/client.ts';
import type { NativeEvent } from '../../src/events/native-event.ts';
import { readBody } from '../../src/events/read-body.ts';

/** A server that takes events as ours does, and keeps them as the worker would read them. */
export interface EventCollector {
  readonly usage: UsageClient;
  readonly unmetered: UnmeteredCall[];
  /** What arrived, after everything that was recorded is sent. */
  events(): Promise<readonly NativeEvent[]>;
}

export async function collectEvents(change: Partial<ClientOptions> = {}): Promise<EventCollector> {
  const events: NativeEvent[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const context = { receivedAt: Date.now(), litellmKey: null, attributes: {} };
      for (const item of readBody(Buffer.concat(chunks).toString('utf8'), context)) {
        if (item.kind === 'refused') throw new Error(`refused: ${item.detail}`);
        events.push(JSON.parse(item.kind === 'event' ? item.body() : '{}'));
      }
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"events":[]}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const unmetered: UnmeteredCall[] = [];
  const usage = openClient({
    server: { url: `http://127.0.0.1:${port}`, key: 'a key' },
    folder: null,
    flushMs: 5,
    onUnmetered: (call) => unmetered.push(call),
    ...change,
  });
  onTestFinished(async () => {
    await usage.close({ deadlineMs: 1000 });
    server.closeAllConnections();
    server.close();
  });
  return {
    usage,
    unmetered,
    async events() {
      await usage.flush();
      return events;
    },
  };
}
