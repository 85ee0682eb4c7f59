import { createServer } from 'node:http';
import { openClient } from '../../../src/client/client.ts';
import type { NewEvent } from '../../../src/client/new-event.ts';
import { nativeEvent } from '../../support/ledger.ts';
import { Bridge } from './bridge.ts';
import { later } from './own-postgres.ts';
import { SmallDisk } from './small-disk.ts';
import { goThrough } from './trouble.ts';
import { startUnderLoad } from './under-load.ts';
import { judgeEnd, within } from './watch.ts';

/** Disks without room: of Postgres's data, of its log of changes, of a server's folder of events, of a client's. */
export async function diskFull(random: () => number): Promise<readonly string[]> {
  const disks = [await SmallDisk.mount(400), await SmallDisk.mount(160), await SmallDisk.mount(24)];
  const [data, wal, events] = disks;
  try {
    if (data == null || wal == null || events == null) {
      console.log('disk: skipped, since nothing may be mounted here');
      return [];
    }
    return await fillAll({ data, wal, events }, random);
  } finally {
    for (const disk of disks) await disk?.unmount();
  }
}

interface Disks {
  readonly data: SmallDisk;
  readonly wal: SmallDisk;
  readonly events: SmallDisk;
}

async function fillAll(disks: Disks, random: () => number): Promise<readonly string[]> {
  const { data, wal, events } = disks;
  const folder = `${data.folder}/data`;
  const walFolder = `${wal.folder}/wal`;
  const settings = { min_wal_size: '32MB', max_wal_size: '64MB' };
  const bridge = await Bridge.build({ postgres: { folder, walFolder }, settings }, random);
  try {
    const environment = { SPANLEDGER_INGEST_FOLDER: await events.at('events') };
    bridge.load.padding = 400;
    await startUnderLoad(bridge, { queued: { environment } });
    return [
      ...(await fillData(bridge, data)),
      ...(await fillWal(bridge, wal)),
      ...(await fillEvents(bridge, events)),
      ...(await fillClient(events)),
      ...(await judgeEnd(bridge)),
    ];
  } finally {
    await bridge.close();
  }
}

function fillData(bridge: Bridge, disk: SmallDisk): Promise<readonly string[]> {
  return goThrough(bridge, {
    name: "the disk of Postgres's data is full",
    make: () => disk.fill(),
    mend: () => disk.empty(),
    lastsMs: 60_000,
    says: {
      worker: /database's disk is full.*make room/,
      direct: /database's disk is full/,
    },
    stopsReceiving: true,
  });
}

/** Postgres panics then, and may end for good: whoever runs it starts it again once there is room. */
async function fillWal(bridge: Bridge, disk: SmallDisk): Promise<readonly string[]> {
  const faults = await goThrough(bridge, {
    name: "the disk of Postgres's log of changes is full",
    async make() {
      await disk.fill();
      await within(60_000, () => bridge.postgres.says(/PANIC/));
    },
    async mend() {
      await disk.empty();
      await later(3_000);
      if (bridge.postgres.hasEnded) await bridge.postgres.start();
      await within(30_000, async () => {
        await bridge.database.pool.query('select 1');
        return true;
      });
    },
    lastsMs: 45_000,
    says: { worker: /receiving stopped/ },
    stopsReceiving: true,
  });
  const hasPanicked = bridge.postgres.says(/PANIC/);
  return hasPanicked ? faults : [...faults, 'Postgres did not panic, so that nothing was tried'];
}

/** SQS is away and the folder of events has no room: producers are asked to come again. */
async function fillEvents(bridge: Bridge, disk: SmallDisk): Promise<readonly string[]> {
  const answers = bridge.load.answers.get('serve')?.byStatus ?? new Map<number, number>();
  const refused = answers.get(503) ?? 0;
  const faults = await goThrough(bridge, {
    name: 'SQS is away and the folder of events is full',
    async make() {
      bridge.lines.queue.turn('stalls');
      await later(15_000);
      await disk.fill();
    },
    async mend() {
      await disk.empty();
      bridge.lines.queue.turn('clean');
    },
    lastsMs: 30_000,
    says: { serve: /no space left|ENOSPC/i },
    stopsReceiving: false,
  });
  const now = answers.get(503) ?? 0;
  return now > refused ? faults : [...faults, 'no producer was told to come again'];
}

/** A client whose folder is full keeps in memory what fits, and refuses the rest; later it has lost nothing. */
async function fillClient(disk: SmallDisk): Promise<readonly string[]> {
  const folder = await disk.at('client');
  const troubles: string[] = [];
  const taken = new Set<string>();
  let isAway = true;
  const arrived = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (isAway) return void response.writeHead(503).end();
      const text = Buffer.concat(chunks).toString('utf8');
      for (const { event_id } of JSON.parse(text).events ?? []) arrived.add(event_id);
      response.writeHead(202).end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = openClient({
    server: { url: `http://127.0.0.1:${port}`, key: 'any' },
    ...{ folder, bufferBytes: 1_000_000, encoding: 'plain' as const },
    onTrouble: ({ kind, error }) => void troubles.push(`${kind}: ${String(error)}`),
  });
  let refused = 0;
  const record = () => {
    const tags = { padding: 'x'.repeat(200) };
    const { event_id: _, ...event } = nativeEvent({ occurred_at: new Date().toISOString(), tags });
    const answer = client.record(event as NewEvent);
    if (answer.kind === 'accepted') taken.add(answer.eventId);
    else refused += 1;
  };
  for (let event = 0; event < 500; event += 1) record();
  await disk.fill();
  for (let event = 0; event < 6_000; event += 1) record();
  const refusedFull = refused;
  await disk.empty();
  for (let event = 0; event < 500; event += 1) record();
  isAway = false;
  const isFlushed = await client.flush({ deadlineMs: 60_000 });
  await client.close();
  server.close();
  const lost = [...taken].filter((id) => !arrived.has(id));
  console.log(
    `a client's folder is full: ${taken.size} taken, ${refused} refused, said ${troubles.slice(0, 2).join('; ')}`,
  );
  return [
    ...(isFlushed ? [] : ['the client did not send everything']),
    ...(lost.length === 0 ? [] : [`the client lost ${lost.length} events that it had taken`]),
    ...(refusedFull > 0 ? [] : ['a client without room refused nothing']),
    ...(refused === refusedFull ? [] : ['the client refuses though there is room again']),
    ...(troubles.some((said) => /ENOSPC/.test(said)) ? [] : ['the client did not say why']),
  ];
}
