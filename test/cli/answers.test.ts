import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { parseInstant } from '../../src/clock.ts';
import { closeAnswer, closeRequest } from '../../src/ledger/closes/close-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { cli } from '../support/cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What `--json` prints is the answer of the use case: its schema reads it, and is strict. */

let database: TestDatabase;
let drop: () => Promise<void>;

/** A ledger in which the October of acme is closed, with one call charged and one that failed. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme');
  const events = [nativeEvent(), nativeEvent({ event_id: 'evt-2', status: 'error' })];
  await receiveEvents(database, events, '2026-10-20T00:00:00Z');
  const clock = () => parseInstant('2026-11-02T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
});

afterAll(() => drop());

interface Case {
  readonly args: readonly string[];
  readonly answer: z.ZodType;
}

const CASES: readonly Case[] = [{ args: ['close', '2026-10'], answer: closeAnswer }];

it.each(CASES)('$args.0 prints its answer', async ({ args, answer }) => {
  const { stdout, stderr } = await cli([...args, '--json'], { DATABASE_URL: database.url });
  expect(stderr).toBe('');
  expect(answer.safeParse(JSON.parse(stdout)).error?.issues).toBeUndefined();
});

it('a request is read from JSON by its schema, and what is wrong in it is named', () => {
  const request = { month: '2026-10', tenant_id: null };
  expect(closeRequest.parse(request)).toEqual(request);
  const wrong = closeRequest.safeParse({ month: 'October', tenant: 'acme' });
  expect(wrong.error?.issues.map((issue) => issue.path.join('.') || issue.code)).toEqual([
    'month',
    'tenant_id',
    'unrecognized_keys',
  ]);
});
