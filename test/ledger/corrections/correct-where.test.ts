import { beforeEach, describe, expect, it } from 'vitest';
import { readWhere } from '../../../src/cli/terminal/where.ts';
import { parseInstant } from '../../../src/clock.ts';
import type { CorrectWhereRequest } from '../../../src/ledger/corrections/bulk-answer.ts';
import { correctEntry } from '../../../src/ledger/corrections/correct-entry.ts';
import { correctWhere } from '../../../src/ledger/corrections/correct-where.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/** A correction of every entry that has something in common (R13). */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'one', user_id: 'pat', feature: 'a,b' }),
    nativeEvent({ event_id: 'two', user_id: 'pat', occurred_at: '2026-09-30T23:59:59Z' }),
    nativeEvent({ event_id: 'three', requested_model: 'gpt-4o-mini' }),
    nativeEvent({ event_id: 'four', tenant_id: 'birch' }),
  ]);
});

const MINI = { requested_model: 'gpt-4o-mini' };

it('shows with a dry run what it would do, does that, and finds nothing the second time', async () => {
  const asked = { where: 'tenant=acme,model=gpt-4o', month: '2026-10', change: MINI };
  // 1000 × 0.20 µ + 100 × 0.80 µ = 0.00028 in place of 0.0042.
  const row = { entries: 1, charge_before: '0.0042', charge_after: '0.00028' };
  const foreseen = await run({ ...asked, dryRun: true });
  expect(foreseen).toMatchObject({ examined: 1, rows: [row], totals: [row] });
  expect(await count(database, 'entries')).toBe(4);
  expect(await run(asked)).toEqual({ ...foreseen, dry_run: false });
  expect(await standing("event_id = 'one'")).toEqual([
    { event_id: 'one', requested_model: 'gpt-4o-mini', user_id: 'pat', charge: '0.00028' },
  ]);
  expect(await count(database, 'entries')).toBe(6);
  expect(await run(asked)).toMatchObject({ examined: 0, rows: [] });
  expect(await brokenLaws(database)).toEqual([]);
});

it('forgets a user in every month, and leaves what has none as it is', async () => {
  const asked = { where: 'tenant=acme', month: null, change: { user_id: null } };
  expect(await run(asked)).toMatchObject({ examined: 3, rows: [{ entries: 2 }] });
  expect(await standing("user_id = 'pat'")).toEqual([]);
  expect(await run(asked)).toMatchObject({ examined: 3, rows: [] });
  expect(await brokenLaws(database)).toEqual([]);
});

it('voids what matches', async () => {
  const asked = { where: 'user=pat', month: null, change: null };
  // 2 × 0.0042
  expect(await run(asked)).toMatchObject({
    rows: [{ entries: 2, charge_before: '0.0084', charge_after: '0' }],
  });
  expect((await standing('true')).map(({ event_id }) => event_id)).toEqual(['four', 'three']);
  expect(await brokenLaws(database)).toEqual([]);
});

it('takes no price away unless that is asked for', async () => {
  const asked = { where: 'tenant=acme,user=', month: null, change: { requested_model: 'gpt-9' } };
  const losing = [{ tenant_id: 'acme', requested_model: 'gpt-4o-mini', entries: 1 }];
  expect(await run(asked)).toMatchObject({ rows: [], losing });
  expect(await count(database, 'entries')).toBe(4);
  expect(await run({ ...asked, unprice: true })).toMatchObject({ rows: [{ entries: 1 }], losing });
  expect(await standing("event_id = 'three'")).toMatchObject([{ charge: null }]);
});

it('says of a refusal in the middle what went before it, and goes on where that ended', async () => {
  await makeTenant(database, 'cedar');
  const calls = Array.from({ length: 999 }, (_, index) =>
    nativeEvent({ event_id: `of-birch-${index}`, tenant_id: 'birch' }),
  );
  await receiveEvents(database, calls);
  await receiveEvents(database, [nativeEvent({ event_id: 'twice', tenant_id: 'birch' })]);
  await receiveEvents(database, [nativeEvent({ event_id: 'twice', tenant_id: 'cedar' })]);
  const asked = { where: 'tenant=birch', month: null, change: { tenant_id: 'cedar' } };
  const foreseen = await run({ ...asked, dryRun: true }).catch((error: unknown) => error);
  expect(foreseen).toMatchObject({ message: expect.stringMatching(/would be billed twice$/) });
  const refused = await run(asked).catch((error: Error) => error);
  const said = /would be billed twice; of 1,001 entries (\d+) were dealt with before$/;
  // Another plan reads them in another order, so that the refusal may come first.
  const done = Number(said.exec(refused instanceof Error ? refused.message : '')?.[1] ?? 0);
  expect(refused).toMatchObject({ message: expect.stringContaining('would be billed twice') });
  expect(await count(database, "entries where tenant_id = 'cedar'")).toBe(1 + done);
  const [twice] = await textRows(
    database,
    "select entry_id from entries where event_id = 'twice' and tenant_id = 'birch'",
  );
  const note = { reason: 'reported under both', actor: 'ada' };
  const request = { entry_id: BigInt(twice?.['entry_id'] ?? 0), change: null, ...note };
  await correctEntry({ database, clock: () => parseInstant('2026-10-20T12:00:00Z') }, request);
  expect(await run(asked)).toMatchObject({ examined: 1_000 - done });
  expect(await brokenLaws(database)).toEqual([]);
});

it('refuses to move one event of two tenants to a third one, where it would stand twice', async () => {
  await makeTenant(database, 'cedar');
  await receiveEvents(database, [nativeEvent({ event_id: 'four', tenant_id: 'acme' })]);
  const asked = { where: 'model=gpt-4o', month: null, change: { tenant_id: 'cedar' } };
  await expect(run(asked)).rejects.toThrow('tenant "cedar" has event "four"');
  expect(await count(database, "entries where tenant_id = 'cedar'")).toBe(0);
});

describe('it refuses', () => {
  it.each([
    ['a tenant that nobody made', 'tenant=acmme', MINI, 'there is no tenant "acmme"'],
    ['to make one by a move', 'user=pat', { tenant_id: 'bich' }, 'there is no tenant "bich"'],
    ['a change that no event could say', 'user=pat', { user_id: '' }, 'the user would have 0'],
  ])('%s', async (_what, where, change, message) => {
    await expect(run({ where, month: null, change })).rejects.toThrow(message);
    expect(await count(database, "tenants where tenant_id = 'bich'")).toBe(0);
    expect(await count(database, 'entries')).toBe(4);
  });
});

describe('conditions', () => {
  it.each([
    ['tenant=acme,model=gpt-4o', { tenant_id: 'acme', requested_model: 'gpt-4o' }],
    ['feature=a,b,user=', { feature: 'a,b', user_id: null }],
  ])('read like %s', (text, where) => {
    expect(readWhere(text)).toEqual(where);
  });

  it.each([
    ...['acme', 'tenants=acme', 'tenant=', ''],
    ...['tenant=acme,tenant=birch', 'model=gpt-4o,requested_model=gpt-5'],
  ])('are refused like "%s"', (text) => {
    expect(() => readWhere(text)).toThrow();
  });

  it('of a second option are more of the same, and not another value', () => {
    expect(readWhere('feature=a', readWhere('tenant=acme'))).toEqual({
      tenant_id: 'acme',
      feature: 'a',
    });
    expect(() => readWhere('tenant=birch', readWhere('tenant=acme'))).toThrow('named twice');
  });
});

interface Asked {
  readonly where: string;
  readonly month: string | null;
  readonly change: CorrectWhereRequest['change'];
  readonly dryRun?: boolean;
  readonly unprice?: boolean;
}

function run({ where, month, change, dryRun = false, unprice }: Asked) {
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const note = { reason: 'a test', actor: 'ada' };
  const request = { where: readWhere(where), month, change, dry_run: dryRun, unprice, ...note };
  return correctWhere({ database, clock }, request);
}

function standing(condition: string) {
  return textRows(
    database,
    `select event_id, requested_model, user_id, charge from audit.entries e
     where not is_reversal and ${condition}
       and not exists (select 1 from audit.entries c where c.corrects_entry_id = e.entry_id)
     order by event_id`,
  );
}
