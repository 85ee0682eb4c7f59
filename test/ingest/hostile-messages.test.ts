import { describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.ts';
import { count, freshDatabase, textRows } from '../support/database.ts';
import type { HostileMessage } from '../support/hostile-messages.ts';
import { heavyMessages, hostileMessages } from '../support/hostile-messages.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';
import { freshQueue } from '../support/queue.ts';

/**
 * Each message alone, and each beside good ones, are some forty worker processes; all hostile ones at once,
 * beside good ones, is the harder case and runs always. In full:
 * SPANLEDGER_LONG=1 npx vitest run test/ingest/hostile-messages.test.ts
 */
const isLong = process.env['SPANLEDGER_LONG'] !== undefined;

/** The heap that infra/README.md recommends. */
const HEAP = '--max-old-space-size=112';

const GOOD = 80;

async function workOff(messages: readonly HostileMessage[], good: number) {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const queue = await freshQueue();
  for (const { body, attributes = {} } of messages) await queue.send(body, attributes);
  const events = Array.from({ length: good }, (_, index) =>
    JSON.stringify(nativeEvent({ event_id: `good-${index}` })),
  );
  await queue.sendAll(events);
  const { finished } = startCli(['worker', '--json', '--until-empty'], {
    ...queue.environment,
    NODE_OPTIONS: HEAP,
    DATABASE_URL: database.url,
    SPANLEDGER_LOG_LEVEL: 'warn',
  });
  const { exitCode, stderr } = await finished;
  expect(stderr).not.toContain('heap');
  expect(exitCode).toBe(0);
  expect(await queue.client.depth()).toBe(0);
  expect(await queue.deadLetters()).toEqual([]);
  expect(await count(database, `entries where event_id like 'good-%'`)).toBe(good);
  return textRows(
    database,
    'select reason, count(*) as rows from quarantine group by 1 order by 1',
  );
}

describe('a worker with the recommended heap', () => {
  it('takes every hostile message at once, beside eighty good ones', async () => {
    const hostile = Object.values(hostileMessages());
    const reasons = new Map<string, number>();
    for (const { reason, rows = 1 } of hostile) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + rows);
    }

    const rows = await workOff(
      isLong ? [...hostile, ...Object.values(heavyMessages())] : hostile,
      GOOD,
    );

    expect(Object.fromEntries(rows.map(({ reason, rows: n }) => [reason, Number(n)]))).toEqual(
      Object.fromEntries(reasons),
    );
  }, 180_000);

  it.runIf(isLong).each(Object.entries({ ...hostileMessages(), ...heavyMessages() }))(
    'takes %s, alone and beside eighty good ones',
    async (_, message) => {
      await workOff([message], 0);
      await workOff([message], GOOD);
    },
    120_000,
  );
});
