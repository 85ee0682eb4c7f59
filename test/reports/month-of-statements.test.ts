import { expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { exactPico, formatPico } from '../../src/money.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import { reportRuns } from '../../src/reports/runs/report-runs.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

const EVERYTHING = { tenant_id: null, month: '2026-10', from: null, to: null, as_of: null };

it('of a month, by the tenants’ own periods, a report is what the statements say, to the last digit', async () => {
  const database = await freshDatabase({ connections: 4 });
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'tokyo', { timeZone: 'Asia/Tokyo' });
  await makeTenant(database, 'angeles', { timeZone: 'America/Los_Angeles' });
  await makeTenant(database, 'middle', { anchorDay: 15, created: '2026-08-20T00:00:00Z' });
  await makeTenant(database, 'dark', {});
  const call = (tenant_id: string, occurred_at: string, input_tokens = 1001) =>
    nativeEvent({
      event_id: `${tenant_id} ${occurred_at}`,
      ...{ tenant_id, occurred_at, agent_run_id: `run of ${tenant_id}` },
      ...{ usage: { input_tokens, output_tokens: 7 } },
    });
  const span = { ...call('tokyo', '2026-09-30T15:00:00Z'), event_id: 'agent' };
  const at = (text: string) => ({ database, clock: () => parseInstant(text) });
  // The first instants of Tokyo's October are September elsewhere, the last ones of Los Angeles' are November.
  await receiveEvents(database, [
    call('tokyo', '2026-09-30T15:00:00Z'),
    call('tokyo', '2026-09-30T14:59:59Z', 5),
    call('tokyo', '2026-10-31T15:00:00Z', 9),
    call('dark', '2026-09-20T00:00:00Z'),
    { ...span, operation: 'invoke_agent', status: 'error' },
    call('middle', '2026-10-14T23:00:00Z', 11),
    call('middle', '2026-10-15T00:00:00Z'),
  ]);
  await closePeriods(at('2026-10-02T00:00:00Z'), { month: '2026-09', tenant_id: null });
  // What comes late of a month that was closed in shadow is metered in the open one, and not due.
  await makeTenant(database, 'dark', {
    ...{ created: '2026-10-03T00:00:00Z', mode: 'live', stripeCustomer: 'cus_dark' },
  });
  await receiveEvents(
    database,
    [
      call('dark', '2026-09-21T00:00:00Z', 77),
      call('dark', '2026-10-21T00:00:00Z', 3),
      call('angeles', '2026-11-01T06:59:59Z'),
      call('angeles', '2026-10-01T06:59:59Z', 13),
      call('tokyo', '2026-09-29T00:00:00Z', 17),
    ],
    '2026-11-02T00:00:00Z',
  );
  const credit = {
    tenant_id: 'angeles',
    amount: -1_000_001n,
    id: 'sorry',
    reason: 'r',
    actor: 'a',
  };
  await adjustTenant(at('2026-10-30T00:00:00Z'), credit);
  for (const month of ['2026-09', '2026-10']) {
    await closePeriods(at('2026-12-01T00:00:00Z'), { month, tenant_id: null });
  }

  const { rows, totals } = await reportUsage(at('2026-12-01T00:00:00Z'), {
    ...EVERYTHING,
    by: ['tenant'],
  });

  const statements = await textRows(
    database,
    `select tenant_id as tenant, charge_exact as charge from audit.periods
     where period_start between '2026-10-01' and '2026-10-31' and state = 'closed' and entries > 0 order by 1`,
  );
  expect(statements.map(({ tenant }) => tenant)).toEqual(['angeles', 'dark', 'middle', 'tokyo']);
  expect(rows.map(({ tenant, charge }) => ({ tenant, charge }))).toEqual(statements);
  // 13, 77 and 17 x 3 + 7 x 12 µ$ came late of a September in shadow: they are metered, and stand apart.
  const apart = ['0.000123', '0.000315', '0', '0.000135'];
  expect(rows.map(({ not_due }) => not_due)).toEqual(apart);
  const all = await textRows(
    database,
    `select sum(charge_exact) as charge from audit.periods
     where period_start between '2026-10-01' and '2026-10-31' and state = 'closed'`,
  );
  expect(totals.map(({ charge }) => ({ charge }))).toEqual(all);
  const layers = await reportUsage(at('2026-12-01T00:00:00Z'), { ...EVERYTHING, by: ['layer'] });
  expect(layers.totals.map(({ charge }) => ({ charge }))).toEqual(all);

  // The report of runs says the same of the calls, which are all that an adjustment leaves.
  const calls = await reportUsage(at('2026-12-01T00:00:00Z'), {
    ...EVERYTHING,
    by: ['tenant', 'kind'],
  });
  const dues = calls.rows
    .filter(({ kind }) => kind === 'usage')
    .map(({ tenant, charge, not_due, cost }) => ({ tenant, charge, not_due, cost }));
  const runs = await reportRuns(at('2026-12-01T00:00:00Z'), {
    ...EVERYTHING,
    ...{ by: 'run', order: 'waste', limit: 2, cursor: null, loop_steps: 4 },
  });
  const byTenant = await reportRuns(at('2026-12-01T00:00:00Z'), {
    ...EVERYTHING,
    ...{ by: 'tenant', order: 'waste', limit: 10, cursor: null, loop_steps: 4 },
  });
  expect(
    byTenant.rows
      .map(({ tenant, charge, not_due, cost }) => ({ tenant, charge, not_due, cost }))
      .toSorted((a, b) => (String(a.tenant) < String(b.tenant) ? -1 : 1)),
  ).toEqual(dues);
  // The span around Tokyo's run failed, and is in the month because a call of the run is.
  expect(runs.totals).toMatchObject([{ runs: 4, succeeded: 3, calls: 7 }]);
  expect(runs.totals).toEqual(byTenant.totals);
  expect(runs.rows).toHaveLength(2);
  const credited = calls.rows.find(({ kind }) => kind === 'adjustment');
  const due = [runs.totals[0], credited].map((row) => exactPico(row?.charge ?? ''));
  expect(formatPico(due.reduce((sum, amount) => sum + amount, 0n))).toBe(totals[0]?.charge);
});

it('a report about a tenant that is not there is refused', async () => {
  const database = await freshDatabase({ connections: 4 });
  const parts = { database, clock: () => parseInstant('2026-12-01T00:00:00Z') };
  await expect(
    reportUsage(parts, { ...EVERYTHING, tenant_id: 'nope', by: ['tenant'] }),
  ).rejects.toThrow('there is no tenant "nope"');
});
