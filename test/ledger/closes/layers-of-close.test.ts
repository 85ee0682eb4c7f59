import { beforeAll, expect, it } from 'vitest';
import { checkLaws } from '../../../src/audit/laws/check-laws.ts';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { behindWall } from '../../../src/database/behind-wall.ts';
import type { Database } from '../../../src/database/database.ts';
import { makeRoles } from '../../../src/database/roles.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import type { ManifestLayers } from '../../../src/ledger/closes/manifest-layers.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { exactPico, formatPico } from '../../../src/money.ts';
import { readUsageReport } from '../../../src/reports/usage-report-store.ts';
import { showStatement } from '../../../src/statements/show-statement.ts';
import { createDatabase, freshDatabase, textRows } from '../../support/database.ts';
import { randomFrom } from '../../support/faulty-queue.ts';
import { importBook, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';

const SINCE = { effective_from: '2026-01-01T00:00:00Z', currency: 'EUR' };
const NOTE = { reason: 'a test', actor: 'ada' };
const TENANTS = Array.from({ length: 24 }, (_, n) => `t${n}`);
const MONTHS = ['2026-10', '2026-11'] as const;

const at = (instant: string) => () => parseInstant(instant);

let database: Database;

/**
 * Two closed months of tenants of every kind of book, with calls of many units, failed and divided ones, late usage and
 * corrections, from a seed. Every third tenant's October is closed in shadow.
 */
beforeAll(async () => {
  const created = await createDatabase({ connections: 4 });
  ({ database } = created);
  await importPrices(database);
  for (const [n, tenant] of TENANTS.entries()) {
    const priceBook = ['list', 'done', 'third-off', 'plus'][n % 4] ?? 'list';
    const live = { mode: 'live', stripeCustomer: `cus_${n}` } as const;
    await makeTenant(database, tenant, { priceBook, ...(n % 3 === 0 ? {} : live) });
  }
  const random = randomFrom(29);
  await receiveEvents(database, anyCalls(random, '2026-10-12T12:00:00Z', 400));
  await close(database, '2026-10', '2026-11-03T00:00:00Z');
  for (const [n, tenant] of TENANTS.entries()) {
    const live = { mode: 'live', stripeCustomer: `cus_${n}` } as const;
    if (n % 3 === 0) await makeTenant(database, tenant, live);
  }
  await receiveEvents(
    database,
    anyCalls(random, '2026-10-30T12:00:00Z', 50),
    '2026-11-04T00:00:00Z',
  );
  await receiveEvents(
    database,
    anyCalls(random, '2026-11-05T12:00:00Z', 100),
    '2026-11-06T00:00:00Z',
  );
  const rows = await textRows(
    database,
    "select entry_id from entries where kind = 'usage' and tenant_id <> 'unattributed' order by entry_id",
  );
  const corrections = rows
    .filter(() => random() < 0.5)
    .map(({ entry_id }) => ({
      entryId: BigInt(entry_id ?? -1),
      change:
        random() < 0.5 ? null : { uncachedInputTokens: 1000 + Math.floor(random() * 1_000_000) },
      note: NOTE,
    }));
  await postCorrections(database, at('2026-11-07T00:00:00Z'), corrections);
  await close(database, '2026-11', '2026-12-03T00:00:00Z');
  await foldAll(database, systemClock);
  return created.drop;
});

it.each(MONTHS)(
  'the layers of each statement of %s are those of the report, to the last digit',
  async (month) => {
    const question = { tenantId: null, from: null, to: null, month };
    const report = await readUsageReport(database, { ...question, by: ['tenant', 'layer'] });
    const closed = await closedLayers(database, month);
    expect([...closed.keys()].toSorted()).toEqual([...TENANTS].toSorted());
    for (const [tenant, { layers, charge }] of closed) {
      const told = report
        .filter((row) => row.tenant === tenant)
        .map(({ layer, chargePico }) => [layer, formatPico(chargePico)]);
      expect(
        layers?.lines.map(({ layer, exact }) => [layer, exact]),
        tenant,
      ).toEqual(told);
      const sum = layers?.lines.reduce((all, { exact }) => all + exactPico(exact), 0n);
      expect(formatPico(sum ?? -1n), tenant).toBe(charge);
    }
  },
);

it('each law holds in them', async () => {
  const laws = await checkLaws(
    { database, clock: systemClock, checkStripe: null },
    { scope: 'full', published: [], withoutSchema: true },
  );
  expect(laws.filter(({ violations }) => violations.length > 0)).toEqual([]);
});

it('a tenant sees the same in what its open month comes to, where it sees no rates', async () => {
  const calls = anyCalls(randomFrom(31), '2026-12-05T12:00:00Z', 100);
  await receiveEvents(database, calls, '2026-12-06T00:00:00Z');
  await makeRoles(database);
  const clock = at('2026-12-07T00:00:00Z');
  for (const tenant_id of TENANTS.slice(0, 4)) {
    const request = { tenant_id, month: '2026-12', preview: true };
    const whole = await showStatement({ database, clock }, request);
    expect(whole, tenant_id).toMatchObject({ layers: { calls: expect.any(Number) } });
    const view = behindWall(database, tenant_id);
    expect(await showStatement({ database, view, clock }, request), tenant_id).toEqual(whole);
  }
});

it('a close that shared its layers out by tokens recomputes to its bytes, and no other close does so', async () => {
  const own = await freshDatabase({ connections: 4 });
  await importPrices(own);
  await makeTenant(own, 'acme', { priceBook: 'list', mode: 'live', stripeCustomer: 'cus_acme' });
  const layers = { prompt: 0, tool: 0, memory: 0, response: 0 };
  const call = { tenant_id: 'acme', requested_model: 'm' };
  const usage = { input_tokens: 1_000_000, output_tokens: 0 };
  const tools = { ...usage, cache_read_tokens: 1_000_000 };
  await receiveEvents(own, [
    nativeEvent({ ...call, event_id: 'a', usage: tools, layers: { ...layers, tool: 1_000_000 } }),
    nativeEvent({ ...call, event_id: 'b', usage, layers: { ...layers, prompt: 1_000_000 } }),
  ]);
  await close(own, '2026-10', '2026-11-03T00:00:00Z');
  const law4 = async () => {
    const laws = await checkLaws(
      { database: own, clock: systemClock, checkStripe: null },
      { scope: 'full', published: [], withoutSchema: true },
    );
    return laws.find(({ law }) => law === 4)?.violations;
  };
  const rewrite = (from: string, to: string) =>
    tamper(
      own,
      `update closes set manifest = replace(manifest, '${from}', '${to}') where tenant_id = 'acme';
       update closes set manifest_hash = encode(sha256(convert_to(manifest, 'UTF8')), 'hex')`,
    );
  expect(await law4()).toEqual([]);
  // A million at 3.00 and one at 0.70, which came to 1.85 each.
  const [ofEntries, ofTokens] = [
    ['3', '0.7'],
    ['1.85', '1.85'],
  ].map(
    ([prompt, tool]) =>
      `{"layer":"prompt","tokens":"1000000","exact":"${prompt}"},{"layer":"tool","tokens":"1000000","exact":"${tool}"}`,
  );
  await rewrite(ofEntries ?? '', ofTokens ?? '');
  expect(await law4()).toHaveLength(1);
  await rewrite('manifest-4', 'manifest-3');
  expect(await law4()).toEqual([]);
  await rewrite(ofTokens ?? '', ofEntries ?? '');
  expect(await law4()).toHaveLength(1);
});

async function importPrices(into: Database): Promise<void> {
  const per_million = { input: '3', cache_read: '0.7', output: '9' };
  const models = [
    { model: 'm', per_call: '0.01', per_million: { ...per_million, input_image: '11' } },
    { model: 'n', per_million, per_thousand: { searches: '10' } },
  ];
  const book = { ...SINCE, kind: 'charge', models };
  await importBook(into, { ...book, book: 'list', caching: 'pass_through' });
  await importBook(into, { ...book, book: 'done', caching: 'work_done' });
  await importBook(into, { ...book, book: 'paid', kind: 'cost' });
  const over = { ...SINCE, kind: 'charge' };
  await importBook(into, { ...over, book: 'third-off', base: 'list', discount: '0.333333' });
  await importBook(into, {
    ...over,
    book: 'plus',
    caching: 'pass_through',
    cost_factor: '1.234567',
  });
}

/** Calls of all tenants by turns; every one of them has some with layers. */
function anyCalls(random: () => number, occurred_at: string, calls: number) {
  const pick = <Value>(...values: readonly Value[]) =>
    values[Math.floor(random() * values.length)] as Value;
  const some = (below: number) => Math.floor(random() * below);
  return Array.from({ length: calls }, (_, n) => {
    const input_tokens = 1000 + some(9000);
    const requested_model = pick('m', 'n');
    const members = [
      { member_id: 'x', tenant_id: pick(...TENANTS) },
      { member_id: 'y', weight: 3 },
    ];
    return nativeEvent({
      ...{ event_id: `${occurred_at} ${n}`, occurred_at, requested_model, started_at: null },
      tenant_id: TENANTS[n % TENANTS.length],
      status: pick('ok', 'ok', 'ok', 'error'),
      gateway_cache: pick('none', 'none', 'none', 'exact'),
      usage: {
        ...{ input_tokens, output_tokens: some(500), cache_read_tokens: pick(0, some(500)) },
        ...(requested_model === 'm'
          ? { input_image_tokens: pick(0, some(400)) }
          : { searches: some(3) }),
      },
      layers: n % 5 === 4 ? null : { prompt: some(9), tool: some(9), memory: some(9), response: 0 },
      ...(n % 7 === 0 ? { members } : {}),
    });
  });
}

async function close(of: Database, month: string, on: string): Promise<void> {
  await closePeriods({ database: of, clock: at(on) }, { month, tenant_id: null });
}

interface ClosedLayers {
  readonly layers: ManifestLayers | undefined;
  readonly charge: string;
}

async function closedLayers(of: Database, month: string): Promise<Map<string, ClosedLayers>> {
  const rows = await textRows(
    of,
    "select tenant_id, manifest from closes where period_start = $1 and tenant_id <> 'unattributed'",
    [`${month}-01`],
  );
  return new Map(
    rows.map(({ tenant_id, manifest }) => {
      const { layers, charge_exact: charge } = JSON.parse(manifest ?? '');
      return [tenant_id ?? '', { layers, charge }];
    }),
  );
}
