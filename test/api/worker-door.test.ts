import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorkerDoor } from '../../src/api/worker-door.ts';
import { runFiguresLoop } from '../../src/ingest/worker/figures-loop.ts';
import { WorkerFigures } from '../../src/ingest/worker/worker-figures.ts';
import type { Log } from '../../src/log.ts';
import { openLog } from '../../src/log.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase, reopen } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What a worker says of itself: to machines at its port, and to people once a minute. */

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent()]);
});

afterAll(() => drop());

const clock = () => Date.parse('2026-10-20T12:00:30Z');
const queue = { depth: async () => 7 };

function counted(): WorkerFigures {
  const figures = new WorkerFigures();
  figures.received(2);
  figures.recorded([{ outcome: 'posted' }, { outcome: 'duplicate' }] as never);
  return figures;
}

describe('at its port a worker', () => {
  async function asked(of: { isDraining?: boolean; url?: string; waitsFor?: string } = {}) {
    const from = of.url === undefined ? database : reopen(of.url, 1);
    const figures = counted();
    figures.waitingAsToldBy(() => of.waitsFor ?? null);
    const door = await startWorkerDoor({
      parts: { database: from, queue, clock, log: openLog('silent') },
      figures,
      isDraining: () => of.isDraining ?? false,
      ...{ host: '127.0.0.1', port: 0 },
    });
    const ask = async (path: string) => {
      const response = await fetch(`${door.url}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const answers = {
      healthz: await ask('/healthz'),
      readyz: await ask('/readyz'),
      metrics: await ask('/metrics'),
    };
    await door.close();
    return answers;
  }

  it('says that it is well, and what it counted', async () => {
    const { healthz, readyz, metrics } = await asked();
    expect([healthz.status, readyz.status, metrics.status]).toEqual([200, 200, 200]);
    expect(metrics.text).toMatch(/^spanledger_worker_messages_total 2$/m);
    expect(metrics.text).toMatch(/^spanledger_worker_events_total\{outcome="duplicate"\} 1$/m);
    expect(metrics.text).toMatch(/^spanledger_queue_messages 7$/m);
    expect(metrics.text).toMatch(/^spanledger_rollups_behind_batches 1$/m);
    expect(metrics.text).toMatch(/^spanledger_up 1$/m);
  });

  it('that drains lives on, and takes nothing more', async () => {
    const { healthz, readyz } = await asked({ isDraining: true });
    expect([healthz.status, readyz.status]).toEqual([200, 503]);
  });

  it('that receives nothing because the ledger takes nothing says so, and why', async () => {
    const { healthz, readyz, metrics } = await asked({ waitsFor: 'the disk is full' });
    expect([healthz.status, readyz.status]).toEqual([200, 503]);
    expect(readyz.text).toContain('nothing is received: the disk is full');
    expect(metrics.text).toMatch(/^spanledger_worker_waiting 1$/m);
  });

  it('without a database says so, and gives the figures that it has', async () => {
    const { healthz, metrics } = await asked({ url: 'postgres://nobody@127.0.0.1:1/none' });
    expect(healthz.status).toBe(503);
    expect(metrics.text).toMatch(/^spanledger_worker_messages_total 2$/m);
    expect(metrics.text).toMatch(/^spanledger_up 0$/m);
  });
});

it('once a minute it says what it did in it, and how far it is behind', async () => {
  const lines: unknown[] = [];
  const info = (figures: unknown, message: string) => void lines.push([message, figures]);
  const log = { ...openLog('silent'), info } as unknown as Log;
  const figures = counted();
  const stop = new AbortController();
  const of = { figures, everyMs: 20 };
  const loop = runFiguresLoop({ database, queue, clock, log }, of, stop.signal);
  figures.received(1);
  figures.recorded([{ outcome: 'quarantined' }] as never);
  while (lines.length < 2) await setTimeout(5);
  stop.abort();
  await loop;
  const nothing = { messages: 0, received: 0, posted: 0, duplicates: 0, conflicts: 0, empty: 0 };
  const behind = { queue: 7, lag_seconds: 30, rollups_behind: 1, seals_behind: 1 };
  expect(lines[0]).toEqual([
    'at work',
    { ...nothing, ...behind, messages: 1, received: 1, quarantined: 1 },
  ]);
  expect(lines[1]).toEqual(['at work', { ...nothing, ...behind, quarantined: 0 }]);
});

it('a port that is no port is refused before anything is received', async () => {
  const { exitCode, stderr } = await cli(['worker', '--health-port', '70000'], {});
  expect(exitCode).toBe(2);
  expect(stderr).toContain('give a port, 1 to 65535, or 0 for one that is free.');
});
