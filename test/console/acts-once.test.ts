import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { breakFolds } from '../support/broken-folds.ts';
import { type ConsoleVisitor, fieldsOfAct, startConsole } from '../support/console.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

/** A form is sent again by whoever does not know whether it was done (R9). */

let database: TestDatabase;
let visitor: ConsoleVisitor;
let now: number;

beforeEach(async () => {
  database = await freshDatabase();
  now = parseInstant('2026-11-04T08:00:00Z');
  await importBooks(database, 'standard');
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  const running = await startConsole(database, { clock: () => now });
  onTestFinished(() => running.close());
  visitor = await running.visit(await running.key('admin'));
});

const adjustments = () => textRows(database, 'select charge, reason from audit.entries');

it('a credit whose rollups could not be folded is done, and is posted once however often its form is sent', async () => {
  const { text } = await visitor.get('/console/act/adjust?tenant_id=acme&amount=-500.00');
  const form = { ...fieldsOfAct(text), reason: 'the outage' };
  const mended = await breakFolds(database);
  const first = await visitor.send('/console/act/adjust', form);
  await mended();
  const again = await visitor.send('/console/act/adjust', form);
  expect([first.status, again.status]).toEqual([200, 200]);
  expect(await adjustments()).toEqual([{ charge: '-500', reason: 'the outage' }]);
});

it('a credit that was posted and never answered is posted once, whoever forgot that it was begun', async () => {
  const { text } = await visitor.get('/console/act/adjust?tenant_id=acme&amount=-500.00');
  const form = { ...fieldsOfAct(text), reason: 'the outage' };
  expect((await visitor.send('/console/act/adjust', form)).status).toBe(200);
  // As a process leaves it that ends between the commit and its answer.
  await database.pool.query('update http_actions set status = null, answer = null');
  expect((await visitor.send('/console/act/adjust', form)).status).toBe(409);
  now += 11 * 60_000;
  expect((await visitor.send('/console/act/adjust', form)).status).toBe(200);
  // As a fault after the commit leaves it.
  await database.pool.query('delete from http_actions');
  expect((await visitor.send('/console/act/adjust', form)).status).toBe(200);
  expect(await adjustments()).toEqual([{ charge: '-500', reason: 'the outage' }]);

  const other = await visitor.act(
    '/console/act/adjust?tenant_id=acme&amount=-500.00',
    'the outage',
  );
  expect(other.status).toBe(200);
  expect(await adjustments()).toHaveLength(2);
});

it('a budget that a form makes is made once, however often the form is sent', async () => {
  const { text } = await visitor.get(
    '/console/act/set-budget?tenant_id=acme&per=month&amount=10.00',
  );
  const form = { ...fieldsOfAct(text), reason: 'agreed' };
  for (const _ of [1, 2]) {
    expect((await visitor.send('/console/act/set-budget', form)).status).toBe(200);
  }
  expect(await textRows(database, 'select amount from budgets')).toHaveLength(1);
});
