import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { writeStatements } from '../../src/statements/write-statements.ts';
import { cli } from '../support/cli.ts';
import { makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { randomOctober } from '../support/random-october.ts';
import { CLUSTER_IS_SLOW_MS, hasCluster, openSides, type Side } from '../support/two-sides.ts';
import { brokenLaws } from '../support/worker.ts';

/**
 * What one Postgres and a cluster make of the same month. Whoever sets SPANLEDGER_CITUS_URL has it run; without a
 * cluster there is nothing to compare, and the run says that it was skipped.
 */
let sides: readonly Side[] = [];
const NOVEMBER = parseInstant('2026-11-01T00:00:00Z');

/** A run with a retry and structure, nested reports of one call, and a call without a tenant, in three batches. */
const TRACE = { agent_run_id: 'run-1', trace_id: 'trace-1', tenant_id: 'bolt' };
const BATCHES = [
  [
    nativeEvent({ ...TRACE, event_id: 'agent', operation: 'invoke_agent', span_id: 'a' }),
    nativeEvent({
      ...TRACE,
      event_id: 'failed',
      status: 'error',
      attempt: 1,
      span_id: 'f',
      parent_span_id: 'a',
    }),
    nativeEvent({
      event_id: 'nobodys',
      tenant_id: undefined,
      trace_id: 'trace-1',
      span_id: 'n',
      parent_span_id: 'a',
    }),
  ],
  [
    nativeEvent({ ...TRACE, event_id: 'answer', attempt: 2, span_id: 'b', parent_span_id: 'a' }),
    nativeEvent({
      ...TRACE,
      event_id: 'inner',
      response_id: 'r-1',
      span_id: 'c',
      parent_span_id: 'b',
    }),
  ],
  [nativeEvent({ event_id: 'again', response_id: 'r-1', tenant_id: undefined })],
];

describe.skipIf(!hasCluster)('a month on a cluster and on one Postgres', () => {
  beforeAll(async () => {
    sides = await openSides();
    await Promise.all(sides.map(({ database }) => fill(database)));
  }, CLUSTER_IS_SLOW_MS);

  afterAll(async () => {
    for (const { drop } of sides) await drop();
  });

  it('is distributed on the one and not on the other', async () => {
    const tables = await onBoth(async ({ database }) => {
      const { rows } = await database.pool.query<{ n: number }>(
        "select count(*)::int as n from pg_class where relname = 'pg_dist_partition'",
      );
      return rows[0]?.n;
    });
    expect(tables).toEqual([0, 1]);
  });

  it('has the same roots of seals, to the byte', async () => {
    const [one, other] = await onBoth(readSeals);
    expect(one).not.toEqual([]);
    expect(other).toEqual(one);
  });

  it('has the same manifests, to the byte', async () => {
    const [one, other] = await onBoth(async ({ database }) => {
      const { rows } = await database.pool.query<{ manifest: string }>(
        'select tenant_id, period_start, manifest, manifest_hash from closes order by 1, 2',
      );
      return rows;
    });
    expect(one).not.toEqual([]);
    expect(other).toEqual(one);
  });

  it('has the same statements in every form, to the byte', async () => {
    const [one, other] = await onBoth(readStatements);
    expect(Object.keys(one ?? {}).length).toBeGreaterThan(3);
    expect(other).toEqual(one);
  });

  it('obeys every law on both', async () => {
    await onBoth(({ database }) =>
      database.pool.query(
        'alter table batches alter column salt set default uuid_send(gen_random_uuid())',
      ),
    );
    expect(await onBoth(({ database }) => brokenLaws(database))).toEqual([[], []]);
  });

  it.each([
    ['report', 'usage', '--by', 'tenant,requested_model,day'],
    ['report', 'usage', '--by', 'user'],
    ['report', 'runs'],
    ['report', 'runs', '--by', 'feature'],
    ['audit', 'run', 'run-1'],
    ['audit', 'line', 'acme', '2026-10', '1'],
    ['export', 'journal', '2026-10'],
    ['statement', 'acme', '2026-10'],
    ['tenant', 'show', 'acme'],
  ])('answers %s %s %s the same', async (...args) => {
    const [one, other] = await onBoth(({ url }) =>
      cli([...args, '--json'], { DATABASE_URL: url, SPANLEDGER_LOG_LEVEL: 'silent' }),
    );
    expect(one).toMatchObject({ exitCode: 0, stderr: '' });
    expect(other).toEqual(one);
  });
});

async function fill(database: Database): Promise<void> {
  await makeTenant(database, 'bolt');
  for (const events of BATCHES) await receiveEvents(database, events);
  await foldAll(database, () => NOVEMBER);
  await randomOctober(database, 7);
  await foldAll(database, () => NOVEMBER);
  await sealAll(database, () => NOVEMBER);
}

function onBoth<Result>(ask: (side: Side) => Promise<Result>): Promise<readonly Result[]> {
  return Promise.all(sides.map(ask));
}

async function readSeals({ database }: Side) {
  const { rows } = await database.pool.query(
    `select seal_number, batch_id, entries, encode(root, 'hex') as root, encode(prints, 'hex') as prints
     from seals order by seal_number`,
  );
  return rows;
}

async function readStatements({ database }: Side): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), 'statements-'));
  try {
    await writeStatements({ database }, { month: '2026-10', folder, issuer: null });
    const files = (await readdir(folder)).sort();
    const read = files.map(async (name) => [name, await readFile(join(folder, name), 'base64')]);
    return Object.fromEntries(await Promise.all(read));
  } finally {
    await rm(folder, { recursive: true });
  }
}
