import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkLaws } from '../../../src/audit/laws/check-laws.ts';
import type { LawReport, LawScope } from '../../../src/audit/laws/law.ts';
import {
  checkClosedPeriods,
  checkPushes,
  checkReceipts,
  checkSplits,
} from '../../../src/audit/laws/laws-store.ts';
import { checkPeriods } from '../../../src/audit/laws/periods-law-store.ts';
import { checkPrices } from '../../../src/audit/laws/prices-law-store.ts';
import { checkRollups } from '../../../src/audit/laws/rollups-law-store.ts';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import { setBudget } from '../../../src/budgets/set-budget.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { present } from '../../../src/present.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase, freshDatabase, reopen, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';
import { undone } from '../../support/undone.ts';

/** October closed and told to Stripe, November open; a split, a failure, a duplicate, a conflict. */
async function fillSoundly(database: TestDatabase): Promise<void> {
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme', { mode: 'live', stripeCustomer: 'cus_acme' });
  const split = nativeEvent({
    event_id: 'split',
    members: [
      { member_id: 'm1', weight: 1 },
      { member_id: 'm2', tenant_id: 'bolt', weight: 2 },
    ],
  });
  const usual = nativeEvent({ event_id: 'usual' });
  await receiveEvents(database, [
    usual,
    usual,
    { ...usual, feature: 'x' },
    split,
    'noise',
  ] as object[]);
  await receiveEvents(database, [nativeEvent({ event_id: 'failed', status: 'error' })]);
  await receiveEvents(database, [nativeEvent({ event_id: 'wrapper', operation: 'invoke_agent' })]);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  const november = nativeEvent({ event_id: 'open', occurred_at: '2026-11-02T00:00:00Z' });
  await receiveEvents(database, [november], '2026-11-02T00:00:01Z');
  await database.pool.query(
    `insert into push_intents (tenant_id, period_start, sequence, identifier, meter, stripe_customer,
       value_micro, event_timestamp, state, created_at)
     select tenant_id, period_start, 1, 'spl-1', 'm', 'cus_acme', billable_micro, 0, 'confirmed', now()
     from closes where tenant_id = 'acme'`,
  );
  const limit = { amount: 5_000_000_000_000n, tokens: null, per: 'month', kind: 'hard' } as const;
  const of = { feature: null, user_id: null, agent_run_id: null, tags: null };
  const unasked = {
    on_unavailable: null,
    priced_only: null,
    thresholds: null,
    loop: null,
    actor: 'ada',
  };
  await setBudget({ database, clock }, { tenant_id: 'acme', ...limit, ...of, ...unasked });
}

/** All laws are checked, as `verify` checks them, and one is told. */
async function lawOf(database: TestDatabase, law: number) {
  const report = (
    await checkLaws(
      { database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [] },
    )
  ).find((one) => one.law === law);
  if (report === undefined) throw new Error(`law ${law} is not checked`);
  return report;
}

/** The laws that a row alone can break; each is looked at by itself, on a ledger that `verify` found sound. */
const LAWS: Readonly<Record<number, (database: Database, scope: LawScope) => Promise<LawReport>>> =
  {
    1: checkReceipts,
    2: checkSplits,
    3: checkPeriods,
    4: checkClosedPeriods,
    5: checkPushes,
    7: checkPrices,
    9: checkRollups,
  };

describe('verify', () => {
  let sound: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
  let reports: readonly LawReport[];

  beforeAll(async () => {
    sound = await createDatabase();
    await fillSoundly(sound.database);
    reports = await checkLaws(
      { database: sound.database, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [] },
    );
  });
  afterAll(() => sound.drop());

  it('holds on a sound ledger, and looked at rows for every law', () => {
    expect(reports.map((report) => report.law)).toEqual(
      expect.arrayContaining([1, 2, 3, 4, 5, 7, 8, 9]),
    );
    for (const report of reports) {
      expect(report.violations, `law ${report.law}`).toEqual([]);
      expect(report.checked, `law ${report.law}`).toBeGreaterThan(0);
    }
  });

  it.each(['timezone=Europe/Berlin', 'bytea_output=escape', 'datestyle=German'])(
    'holds on a sound ledger for a session of its own ways: %s',
    async (setting) => {
      const address = new URL(sound.database.url);
      address.searchParams.set('options', `-c ${setting}`);
      const session = reopen(address.href, 4);
      const found = await checkLaws(
        { database: session, clock: systemClock, checkStripe: null },
        { scope: 'full', published: [] },
      );
      expect(found.flatMap(({ violations }) => violations)).toEqual([]);
    },
  );

  it('holds on a ledger of nothing', async () => {
    for (const report of await checkLaws(
      { database: await freshDatabase(), clock: systemClock, checkStripe: null },
      { scope: 'full', published: [] },
    )) {
      expect(report.violations).toEqual([]);
    }
  });

  it.each([
    [
      1,
      'a receipt counts one too many',
      'update receipts set received = received + 1',
      /batch \d+ source/,
    ],
    [1, 'a receipt is gone', 'delete from receipts', /batch \d+ source "default"/],
    [
      1,
      'a quarantined event is gone',
      "delete from quarantine where reason = 'conflict'",
      /conflicts 1 of 0/,
    ],
    [
      1,
      'a span that is only structure is gone',
      "delete from structure_spans where event_id = 'wrapper'",
      /batch \d+ source "default": received 1, accounted 1, posted 1 of 0 events/,
    ],
    [1, 'an entry is gone', "delete from entries where event_id = 'usual'", /posted 2 of 1/],
    [
      2,
      'a member lost a token',
      "update entries set uncached_input_tokens = uncached_input_tokens - 1 where member_id = 'm2'",
      /event "split" of source "default"/,
    ],
    [2, 'a member is gone', "delete from entries where member_id = 'm1'", /event "split"/],
    [
      2,
      'a member has another share',
      "update entries set call_share = call_share - 1 where member_id = 'm1'",
      /shares 999999 of 1000000/,
    ],
    [
      3,
      'an entry of a closed period costs more',
      "update entries set charge = charge + 1 where event_id = 'usual'",
      /tenant "acme" period 2026-10-01/,
    ],
    [
      3,
      'a close counts another entry',
      "update closes set entries = entries + 1 where tenant_id = 'bolt'",
      /tenant "bolt" period 2026-10-01/,
    ],
    [
      3,
      'a line of the statement says another amount',
      `update closes set manifest = regexp_replace(manifest, '"amount":"[0-9.]+"', '"amount":"9.99"')
       where tenant_id = 'acme'`,
      /tenant "acme" period 2026-10-01: .* lines sum to 9\.99/,
    ],
    [
      3,
      'an entry of before stands in a later period without being late',
      "update entries set period_start = '2026-11-01' where event_id = 'usual'",
      /ent_\d+ of tenant "acme" occurred at .* and stands in period 2026-11-01/,
    ],
    [
      3,
      'an entry stands in a period that nobody made',
      "update entries set period_start = '2027-03-01' where event_id = 'open'",
      /ent_\d+ of tenant "acme" .* stands in period 2027-03-01/,
    ],
    [
      3,
      'two periods of a tenant overlap',
      "update periods set starts_at = starts_at - interval '1 hour' where period_start = '2026-11-01'",
      /tenant "acme": periods 2026-10-01 and 2026-11-01 overlap/,
    ],
    [
      3,
      'a month to come is shut, so that what comes after it is not due',
      `insert into periods (tenant_id, period_start, starts_at, ends_at, time_zone, state, mode)
       values ('acme', '2096-12-01', '2096-12-01Z', '2097-01-01Z', 'UTC', 'shut', 'shadow')`,
      /tenant "acme" period 2096-12-01 is shut, shadow and has no close/,
    ],
    [
      3,
      'a month to come is closed, so that what comes after it is not due',
      `insert into periods (tenant_id, period_start, starts_at, ends_at, time_zone, state, mode)
       values ('acme', '2096-12-01', '2096-12-01Z', '2097-01-01Z', 'UTC', 'closed', 'shadow')`,
      /tenant "acme" period 2096-12-01 is closed, shadow and has no close/,
    ],
    [
      3,
      'a closed month is one in shadow, whatever its close says',
      "update periods set mode = 'shadow' where tenant_id = 'acme' and state = 'closed'",
      /tenant "acme" period 2026-10-01 is closed, shadow and its close is live/,
    ],
    [
      3,
      'a closed month is open again',
      "update periods set state = 'open', mode = null where tenant_id = 'acme' and state = 'closed'",
      /tenant "acme" period 2026-10-01 is open and its close is live/,
    ],
    [
      3,
      'an entry of a closed period is no longer due',
      "update entries set late = true, not_due = true where event_id = 'usual'",
      /not due are \d+ p of 0/,
    ],
    [
      3,
      'an entry of a month that no close has seen is not due',
      "update entries set late = true, not_due = true where event_id = 'open'",
      /ent_\d+ of tenant "acme" .* stands in period 2026-11-01, late, not due/,
    ],
    [
      3,
      'a correction is not due, and nothing before it was closed in shadow',
      `update entries set late = true, not_due = true, kind = 'correction', revision = 1, corrects_entry_id = 1,
         reason = 'wrong', actor = 'ada' where event_id = 'open'`,
      /ent_\d+ of tenant "acme" .* stands in period 2026-11-01, late, not due/,
    ],
    [
      3,
      'a statement says that more is not due',
      `update closes set manifest = (manifest::jsonb || '{"not_due": [{"exact": "0.5"}]}')::text
       where tenant_id = 'acme'`,
      /not due are 0 p of 500000000000/,
    ],
    [
      4,
      'an entry moved to another model',
      "update entries set requested_model = 'gpt-4o-mini' where event_id = 'usual'",
      /tenant "acme" period 2026-10-01: the manifest/,
    ],
    [
      4,
      'the frozen bytes changed',
      "update closes set manifest = replace(manifest, 'gpt-4o', 'gpt-4x') where tenant_id = 'acme'",
      /tenant "acme" period 2026-10-01/,
    ],
    [
      4,
      'an entry was added to a closed period',
      "update entries set period_start = '2026-10-01' where event_id = 'open'",
      /tenant "acme" period 2026-10-01/,
    ],
    [
      4,
      'a hundred dollars more are billed, and carried out less',
      `update closes set billable_micro = billable_micro + 100000000,
         carried_out = carried_out - 100000000000000 where tenant_id = 'bolt'`,
      /tenant "bolt" period 2026-10-01: billable_micro is \d+, and its entries give/,
    ],
    [
      4,
      'the total of a close is another',
      "update closes set charge_total = charge_total + 1 where tenant_id = 'bolt'",
      /charge_total is \d+, and its entries give/,
    ],
    [
      4,
      'the hash of a manifest is another',
      "update closes set manifest_hash = repeat('0', 64) where tenant_id = 'bolt'",
      /manifest_hash is not that of the manifest/,
    ],
    [
      4,
      'the manifest is no manifest',
      "update closes set manifest = '{}' where tenant_id = 'bolt'",
      /tenant "bolt" period 2026-10-01: the manifest recomputes differently/,
    ],
    [
      4,
      'a closed period ends earlier than its manifest says',
      "update periods set ends_at = ends_at - interval '1 hour' where tenant_id = 'bolt' and period_start = '2026-10-01'",
      /its period is 2026-10-01T00:00:00.000Z to 2026-10-31T23:00:00.000Z/,
    ],
    [
      5,
      'more was pushed than closed',
      'update push_intents set value_micro = value_micro + 1',
      /tenant "acme" period 2026-10-01: intents/,
    ],
    [
      5,
      'a picodollar of the remainder is lost',
      `alter table closes drop constraint close_conserves;
       update closes set carried_out = carried_out - 1 where tenant_id = 'bolt'`,
      /tenant "bolt" period 2026-10-01: intents/,
    ],
    [
      7,
      'a charge is one picodollar off',
      "update entries set charge = charge + 1 where event_id = 'open'",
      /ent_\d+ of tenant "acme" .*4200000001/,
    ],
    [
      7,
      'a cost is one picodollar off',
      "update entries set cost = cost - 1 where event_id = 'open'",
      /ent_\d+ of tenant "acme" .*3499999999/,
    ],
    [
      7,
      'tokens were added',
      "update entries set output_tokens = output_tokens + 1 where event_id = 'open'",
      /ent_\d+/,
    ],
    [
      7,
      'a price changed',
      "update price_rates set input = input + 1 where book = 'standard' and model = 'gpt-4o'",
      /ent_\d+/,
    ],
    [
      9,
      'a rollup counts one too many',
      "update usage_rollups set entries = entries + 1 where tenant_id = 'bolt'",
      /tenant "bolt"/,
    ],
    [
      9,
      'a day of the whole ledger cost less',
      'update ledger_rollups set cost = cost - 1 where day = (select max(day) from ledger_rollups)',
      /ledger_rollups of all tenants, period 2026-1\d-01/,
    ],
    [9, 'a rollup is gone', "delete from usage_rollups where tenant_id = 'acme'", /tenant "acme"/],
    [
      9,
      'a run cost less',
      "update run_usage set cost = cost - 1 where tenant_id = 'bolt'",
      /run_rollups of tenant "bolt" period 2026-10-01/,
    ],
    [
      9,
      'an entry is gone from under its rollup',
      "delete from entries where event_id = 'open'",
      /tenant "acme" period 2026-11-01/,
    ],
  ])('law %i names the row when %s', async (law, _, statement, named) => {
    const check = present(LAWS[law], `law ${law}`);
    const report = await undone(sound.database, async (inside) => {
      await tamper(inside, statement);
      return check(inside, await openScope(inside, 'full'));
    });
    expect(report.violations.length).toBeGreaterThan(0);
    expect(report.violations.join('\n')).toMatch(named);
  });

  it('law 3 names an entry once, whatever is wrong with its place', async () => {
    const report = await undone(sound.database, async (inside) => {
      await tamper(
        inside,
        "update entries set late = true, not_due = true, occurred_at = '2026-12-05Z' where event_id = 'open'",
      );
      return checkPeriods(inside, await openScope(inside, 'full'));
    });
    const [entry, ...others] = report.violations.filter((named) => named.startsWith('ent_'));
    expect(entry).toMatch(/stands in period 2026-11-01, late, not due$/);
    expect(others).toEqual([]);
  });

  it('does not take rollups that are only behind for a violation', async () => {
    const database = await freshDatabase();
    await fillSoundly(database);
    const [row] = await textRows(database, 'select count(*) as n from fold_queue');
    expect(Number(row?.['n'])).toBeGreaterThan(0);
    expect((await lawOf(database, 9)).violations).toEqual([]);
  });

  it('names twenty offenders at the most', async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard');
    const events = Array.from({ length: 30 }, (_, index) =>
      nativeEvent({ event_id: `e-${index}` }),
    );
    await receiveEvents(database, events);
    await tamper(database, 'update entries set charge = charge + 1');
    expect((await lawOf(database, 7)).violations).toHaveLength(20);
  });
});
