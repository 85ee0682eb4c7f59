import { beforeEach, describe, expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../../src/ledger/corrections/adjust-tenant.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { exactPico } from '../../../src/money.ts';
import { renderStatementCsv } from '../../../src/statements/statement-csv.ts';
import { readStatements } from '../../../src/statements/statement-store.ts';
import { renderStatementText } from '../../../src/statements/statement-text.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import { cli } from '../../support/cli.ts';
import type { TestDatabase } from '../../support/database.ts';
import { count, freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { brokenLaws } from '../../support/worker.ts';

/** Money without a call behind it (R13). */

let database: TestDatabase;

beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  // 1,000,000 × 3.00 µ = 3.00
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };
  await receiveEvents(database, [nativeEvent({ usage })]);
});

describe('on the statement', () => {
  it.each([
    ['as text', renderStatementText, /\nAdjustments\n.*\nsorry for Tuesday +-1\.00\n/],
    [
      'as CSV',
      (one: never) => renderStatementCsv([one]),
      /,adjustment,sorry for Tuesday,standard,/,
    ],
    // What HTML and PDF arrange.
    ['as a view', asView, /Adjustments: sorry for Tuesday −\$1.00, paper invoice \$0.25/],
  ])('a credit stands under a heading of its own, %s', async (_as, render, pattern) => {
    await adjust('-1.00', 'sorry for Tuesday');
    await adjust('0.25', 'paper invoice');
    expect(await close('2026-10')).toMatchObject({ charge_total: '2.25', detail: null });
    const [statement] = await readStatements(database, { month: '2026-10', tenantId: 'acme' });
    expect(render(statement as never)).toMatch(pattern);
    expect(statement).toMatchObject({ usage: { calls: 1 }, total: '2.25' });
    expect(statement?.daily.map(({ model }) => model)).toEqual(['gpt-4o']);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

function asView(one: never): string {
  const { sections } = viewStatement(one, 'Us');
  return sections
    .map(({ title, groups }) => {
      const lines = groups.map(({ model, lines: [line] }) => `${model} ${line?.amount}`);
      return `${title}: ${lines.sort((a, b) => (a < b ? 1 : -1)).join(', ')}`;
    })
    .join('\n');
}

it('a credit that exceeds the usage bills nothing, is carried on, and is named', async () => {
  await adjust('-5', 'an outage');
  expect(await close('2026-10')).toMatchObject({
    charge_total: '0.00',
    detail:
      '2 USD more was credited than charged; that is carried on in shadow, and comes off no bill',
  });
  await receiveEvents(
    database,
    [nativeEvent({ event_id: 'next', occurred_at: '2026-11-10T00:00:00Z' })],
    '2026-11-10T00:00:00Z',
  );
  // -2.00 + 0.0042 = -1.9958
  expect(await close('2026-11')).toMatchObject({
    charge_total: '0.00',
    detail:
      '1.9958 USD more was credited than charged; that is carried on in shadow, and comes off no bill',
  });
  expect(await brokenLaws(database)).toEqual([]);
});

it('the same id again is the same adjustment, and with another amount it is refused', async () => {
  const first = await adjust('-1', 'sorry', 'ticket-7');
  expect(first).toMatchObject({ state: 'posted', amount: '-1', currency: 'USD', id: 'ticket-7' });
  expect(await adjust('-1', 'sorry', 'ticket-7')).toEqual({ ...first, state: 'duplicate' });
  await expect(adjust('-2', 'sorry', 'ticket-7')).rejects.toThrow('is -1 USD for "sorry"');
  expect(await count(database, "entries where kind = 'adjustment'")).toBe(1);
});

it('is taken back as a whole, and not changed', async () => {
  const { entry_id } = await adjust('-1', 'sorry');
  const entryId = BigInt(entry_id.replace('ent_', ''));
  const note = { reason: 'a slip', actor: 'ada' };
  await expect(
    postCorrections(database, at('2026-10-21'), [{ entryId, change: { feature: 'x' }, note }]),
  ).rejects.toThrow('it is taken back, not changed');
  await postCorrections(database, at('2026-10-21'), [{ entryId, change: null, note }]);
  expect(
    await textRows(
      database,
      "select charge, is_reversal from audit.entries where kind = 'adjustment' order by entry_id",
    ),
  ).toEqual([
    { charge: '-1', is_reversal: 'false' },
    { charge: '1', is_reversal: 'true' },
  ]);
  expect(await close('2026-10')).toMatchObject({ charge_total: '3.00' });
  expect(await brokenLaws(database)).toEqual([]);
});

it('a credit whose commit was not answered is posted once by the id that the refusal names', async () => {
  const { hostname: host, port } = new URL(database.url);
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const environment = { DATABASE_URL: database.url.replace(`:${port}/`, `:${proxy.port}/`) };
  const credit = ['adjust', 'acme', '--amount=-5', '--reason', 'sorry', '--actor', 'ada'];
  proxy.loseAnswerTo('commit\0');
  const lost = await cli(credit, environment);
  expect(lost.exitCode, lost.stderr).toBe(3);
  const [, id = ''] = /ask for the same again with the id\s+"([^"]+)"/.exec(lost.stderr) ?? [];
  const again = await cli([...credit, '--id', id], environment);
  expect(again.stdout).toContain('already credited, nothing was posted');
  expect(
    await textRows(database, "select charge from audit.entries where kind = 'adjustment'"),
  ).toEqual([{ charge: '-5' }]);
});

it.each<[number, string]>([
  [7, 'charge = 0'],
  [7, 'cost = 1'],
  [9, 'charge = charge - 1'],
])('law %i finds an adjustment that was changed: %s', async (law, change) => {
  await adjust('-1', 'sorry');
  await tamper(database, `update entries set ${change} where kind = 'adjustment'`);
  expect((await brokenLaws(database)).map((broken) => broken.law)).toContain(law);
});

it.each([
  ['a tenant that nobody made', 'acmme', '-1', 'there is no tenant "acmme"'],
  ['nobody', 'unattributed', '-1', 'stands for usage without a tenant, and cannot be billed'],
  ['an amount of nothing', 'acme', '0', 'an adjustment of 0 adjusts nothing'],
])('refuses %s', async (_what, tenantId, amount, message) => {
  await expect(adjust(amount, 'sorry', null, tenantId)).rejects.toThrow(message);
});

it('refuses a reason that no line has room for', async () => {
  await expect(adjust('1', 'x'.repeat(201))).rejects.toThrow('would have 201 characters');
});

it('refuses a tenant whose currency nobody knows', async () => {
  const bare = await freshDatabase();
  await makeTenant(bare, 'acme');
  const request = { tenant_id: 'acme', amount: 1n, id: null, reason: 'x', actor: 'ada' };
  await expect(adjustTenant({ database: bare, clock: at('2026-10-20') }, request)).rejects.toThrow(
    'its currency is not known',
  );
});

function at(day: string) {
  return () => parseInstant(`${day}T12:00:00Z`);
}

function adjust(amount: string, reason: string, ...rest: readonly (string | null)[]) {
  const [id = null, tenant_id] = rest;
  const request = { amount: exactPico(amount), id, reason, actor: 'ada' };
  return adjustTenant(
    { database, clock: at('2026-10-20') },
    { tenant_id: tenant_id ?? 'acme', ...request },
  );
}

async function close(month: string) {
  const now = at(month === '2026-10' ? '2026-11-02' : '2026-12-02');
  const [answer] = await closePeriods({ database, clock: now }, { month, tenant_id: 'acme' });
  return answer;
}
