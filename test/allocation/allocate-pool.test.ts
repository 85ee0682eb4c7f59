import { beforeEach, describe, expect, it } from 'vitest';
import { reversePool, showPool } from '../../src/allocation/allocate-pool.ts';
import { readConsumption } from '../../src/allocation/allocation-store.ts';
import { backtest } from '../../src/allocation/backtest.ts';
import { DEFAULT_WEIGHTS, parseWeights } from '../../src/allocation/token-weights.ts';
import { parseInstant, systemClock } from '../../src/clock.ts';
import { behindWall } from '../../src/database/behind-wall.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { readUsageReport } from '../../src/reports/usage-report-store.ts';
import { renderStatement } from '../../src/statements/render-statement.ts';
import { readStatements } from '../../src/statements/statement-store.ts';
import { allocateShared } from '../support/allocation.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, freshDatabase, textRows } from '../support/database.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

let database: TestDatabase;

/** Acme has two calls, birch has one. */
beforeEach(async () => {
  database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [
    nativeEvent({ event_id: 'e1' }),
    nativeEvent({ event_id: 'e2' }),
    nativeEvent({ event_id: 'e3', tenant_id: 'birch' }),
  ]);
});

const NOVEMBER = '2026-11-01T00:00:00Z';

describe('posting a pool', () => {
  it('at once from four processes posts it once; the others find a duplicate', async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => allocateShared(database, { at: NOVEMBER })),
    );
    const states = answers.map((answer) => answer.state).sort();
    expect(states).toEqual(['duplicate', 'duplicate', 'duplicate', 'posted']);
    for (const answer of answers) expect(answer.shares).toEqual(answers[0]?.shares);
    expect(await count(database, "entries where kind = 'allocation'")).toBe(2);
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('at once with two amounts posts one of them and refuses the other', async () => {
    const answers = await Promise.allSettled(
      [10n, 11n].map((amount) => allocateShared(database, { amount, at: NOVEMBER })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(answers.find((answer) => answer.status === 'rejected')).toMatchObject({
      reason: { kind: 'conflict' },
    });
    expect(await count(database, 'allocations')).toBe(1);
  });

  it('changes nothing of what usage reports say but by kind, and shows there as a cost', async () => {
    await allocateShared(database, { at: NOVEMBER });
    await foldAll(database, systemClock);
    const of = { tenantId: null, from: null, to: null };
    const rows = await readUsageReport(database, { by: ['kind', 'tenant'], ...of });
    expect(
      rows.map(({ kind, tenant, costPico, chargePico }) => [kind, tenant, costPico, chargePico]),
    ).toEqual([
      ['allocation', 'acme', 6_666_666_666_667n, 0n],
      ['allocation', 'birch', 3_333_333_333_333n, 0n],
      // 1000 × 2.50 µ + 100 × 10.00 µ = 3500 µ, charged 1000 × 3.00 µ + 100 × 12.00 µ = 4200 µ
      ['usage', 'acme', 7_000_000_000n, 8_400_000_000n],
      ['usage', 'birch', 3_500_000_000n, 4_200_000_000n],
    ]);
  });

  it('tells a tenant why, and nothing of what all others used', async () => {
    await makeRoles(database);
    await allocateShared(database, { at: NOVEMBER });
    await allocateShared(database, { pool: 'tokens', basis: 'weighted-tokens', at: NOVEMBER });
    await allocateShared(database, { pool: 'cost', basis: 'direct', at: NOVEMBER });
    const reasons = `select reason from entries where kind = 'allocation' and tenant_id = 'acme' order by entry_id`;
    expect((await textRows(database, reasons))[0]).toEqual({
      reason: 'GPU bill: 2 of 3 calls, remainder place 1, rounded up',
    });
    const seen = await behindWall(database, 'acme').pool.query<{ reason: string }>(reasons);
    expect(seen.rows).toEqual(Array.from({ length: 3 }, () => ({ reason: 'GPU bill' })));
  });

  it('is a cost that no statement shows, and a billed one is a line and no call', async () => {
    await allocateShared(database, { at: NOVEMBER });
    await allocateShared(database, { pool: 'prompts', billed: true, at: NOVEMBER });
    await closePeriods(
      { database, clock: () => parseInstant(NOVEMBER) },
      {
        month: '2026-10',
        tenant_id: null,
      },
    );
    const [acme] = await readStatements(database, { month: '2026-10', tenantId: 'acme' });
    expect(acme?.lines.map(({ model, meter }) => `${model} ${meter}`)).toEqual([
      'gpt-4o input',
      'gpt-4o output',
      'prompts allocation',
    ]);
    // 8400 µ + 6.666666666667 = 6.675066666667, of which 666667 p are carried on.
    expect(acme).toMatchObject({ total: '6.68', usage: { calls: 2 } });
    expect(acme?.exact).toMatchObject({ charge: '6.675066666667', carried_out: '0.000000666667' });
    expect(await brokenLaws(database)).toEqual([]);
  });

  it('tells the tenant why in every form, and never what all tenants used or cost together', async () => {
    const bases = ['activity', 'weighted-tokens', 'direct'] as const;
    for (const basis of bases) {
      const note = { reason: `why: 1 of 2\n${basis}`, actor: 'ada' };
      await allocateShared(database, { pool: basis, basis, note, billed: true, at: NOVEMBER });
    }
    const clock = () => parseInstant(NOVEMBER);
    await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
    const [acme] = await readStatements(database, { month: '2026-10', tenantId: 'acme' });
    if (acme === undefined) throw new Error('the tenant has no statement');
    expect(acme.allocations).toEqual(
      bases
        .map((pool) => ({
          ...{ pool, reason: `why: 1 of 2\n${pool}`, exact: '6.666666666667' },
        }))
        .sort((one, other) => (one.pool < other.pool ? -1 : 1)),
    );
    for (const format of ['json', 'csv', 'text', 'html'] as const) {
      const text = String(await renderStatement(acme, { format, issuer: null }));
      expect(text).toContain('why: 1 of 2');
      expect(text).not.toMatch(/2 of 3 calls|of direct cost|weighted tokens|remainder place/);
    }
    // An auditor reads the arithmetic as before.
    const held = await textRows(
      database,
      "select reason from entries where kind = 'allocation' and tenant_id = 'acme' order by reason",
    );
    expect(held.map(({ reason }) => String(reason).split(': ').at(-1))).toEqual([
      '2 of 3 calls, remainder place 1, rounded up',
      '0.007 of 0.0105 of direct cost, remainder place 1, rounded up',
      '3000 of 4500 weighted tokens, remainder place 1, rounded up',
    ]);
  });

  it('by direct cost is refused while a cost is unknown, and a dry run says whose', async () => {
    const image = { operation: 'image', requested_model: 'gpt-image-1', executed_model: null };
    await receiveEvents(database, [
      nativeEvent({ event_id: 'i', tenant_id: 'birch', ...image, usage: { images: 500 } }),
    ]);
    await foldAll(database, systemClock);
    const asked = { basis: 'direct', at: NOVEMBER } as const;
    await expect(allocateShared(database, asked)).rejects.toMatchObject({
      kind: 'incomplete',
      message:
        'a pool is not divided by direct cost while costs are unknown: tenant "birch" (1 entries)',
    });
    expect(await count(database, 'allocations')).toBe(0);
    const dry = await allocateShared(database, { ...asked, dryRun: true });
    expect(dry.notes).toEqual([
      'entries without a known cost weigh nothing, so that the pool is not posted: tenant "birch" (1 entries)',
    ]);
  });

  it('by direct cost is divided once nothing can be known any more, and says whose cost is not in it', async () => {
    const image = { operation: 'image', requested_model: 'gpt-image-1', executed_model: null };
    await receiveEvents(database, [
      nativeEvent({ event_id: 'i', tenant_id: 'birch', ...image, usage: { images: 500 } }),
    ]);
    await database.pool.query("update periods set state = 'shut' where tenant_id = 'birch'");
    const posted = await allocateShared(database, { basis: 'direct', at: NOVEMBER });
    expect(posted.notes).toContain(
      'entries without a known cost weigh nothing: tenant "birch" (1 entries)',
    );
    expect(await count(database, 'allocations')).toBe(1);
  });

  it('by tokens says what weighs nothing, and of whom', async () => {
    const image = { operation: 'image', requested_model: 'gpt-image-1', executed_model: null };
    await receiveEvents(database, [
      nativeEvent({ event_id: 'i', tenant_id: 'birch', ...image, usage: { images: 500 } }),
    ]);
    const asked = { basis: 'weighted-tokens', at: NOVEMBER } as const;
    const weighed = await allocateShared(database, { ...asked, weights: DEFAULT_WEIGHTS });
    expect(weighed.notes).toEqual([
      'images weigh nothing, since no weight is given for them; they are used by tenant "birch"',
    ]);
    const weights = parseWeights('input=1,output=5,images=100');
    const said = await allocateShared(database, { ...asked, pool: 'other', weights });
    expect(said.notes).toEqual([]);
  });

  it('is not counted in the next one: shares are no usage', async () => {
    await allocateShared(database, { basis: 'direct', at: NOVEMBER });
    const again = await allocateShared(database, { pool: 'other', basis: 'direct', at: NOVEMBER });
    expect(again.weight_total).toBe('0.0105');
  });

  it('leaves out usage in another currency, and says whose', async () => {
    const book = { book: 'euro', kind: 'charge', currency: 'EUR', caching: 'work_done' };
    const models = [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }];
    const effective_from = '2026-01-01T00:00:00Z';
    await importBook(database, { ...book, effective_from, models });
    await makeTenant(database, 'cedar', { priceBook: 'euro' });
    await receiveEvents(database, [nativeEvent({ event_id: 'e4', tenant_id: 'cedar' })]);
    const answer = await allocateShared(database, { at: NOVEMBER });
    expect(answer.shares.map((share) => share.tenant_id)).toEqual(['acme', 'birch']);
    expect(answer.notes).toEqual([expect.stringContaining('tenant "cedar" has usage in EUR')]);
  });

  it('waits for the last period to end, and counts the others', async () => {
    const early = () => allocateShared(database, { at: '2026-10-31T00:00:00Z' });
    await expect(early()).rejects.toThrow('tenant "acme" and 1 other has not ended');
    await receiveEvents(database, [nativeEvent({ event_id: 'e4', tenant_id: 'cedar' })]);
    await expect(early()).rejects.toThrow('tenant "acme" and 2 others has not ended');
  });

  it('rests on the usage as it was: what comes later changes it only when it is allocated anew', async () => {
    await allocateShared(database, { at: NOVEMBER });
    await receiveEvents(database, [nativeEvent({ event_id: 'e4', tenant_id: 'birch' })], NOVEMBER);
    const held = await allocateShared(database, { at: '2026-11-02T00:00:00Z' });
    expect(held).toMatchObject({ state: 'duplicate', weight_total: '3' });
    const moved =
      'the usage has changed since the pool was divided: "acme" would bear 5 and not 6.666666666667, "birch" would bear 5 and not 3.333333333333; to have it so, reverse it and allocate anew';
    expect(held.notes).toEqual([moved]);
    const shown = { pool: 'gpu', month: '2026-10' };
    expect((await showPool({ database }, shown)).notes).toEqual([moved]);
    const note = { reason: 'usage came late', actor: 'ada' };
    const clock = () => parseInstant('2026-11-02T00:00:00Z');
    await reversePool({ database, clock }, { pool: 'gpu', month: '2026-10', ...note });
    const anew = await allocateShared(database, { at: '2026-11-02T00:00:00Z' });
    expect(anew).toMatchObject({ state: 'posted', weight_total: '4' });
    expect(anew.shares.map((share) => share.cost)).toEqual(['5', '5']);
    expect((await showPool({ database }, shown)).notes).toEqual([]);
    // The auditor's view has all three, and says which stands.
    expect(
      await textRows(
        database,
        "select revision, is_reversal, stands, weight, cost from audit.allocations where tenant_id = 'birch' order by revision",
      ),
    ).toEqual([
      { revision: '0', is_reversal: 'false', stands: 'false', weight: '1', cost: '3.333333333333' },
      { revision: '1', is_reversal: 'true', stands: 'false', weight: '1', cost: '-3.333333333333' },
      { revision: '2', is_reversal: 'false', stands: 'true', weight: '2', cost: '5' },
    ]);
    expect(await brokenLaws(database)).toEqual([]);
  });
});

it('a pool that would be billed late in a currency of before names every tenant of another', async () => {
  const at = '2026-11-03T00:00:00Z';
  const clock = () => parseInstant(at);
  for (const tenant of ['acme', 'birch']) await makeTenant(database, tenant, { mode: 'live' });
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  const rates = { kind: 'charge', currency: 'EUR', caching: 'work_done' };
  const models = [{ model: 'gpt-4o', per_million: { input: '3', output: '12' } }];
  const book = { book: 'euro', effective_from: '2026-01-01T00:00:00Z', ...rates, models };
  await importBook(database, book);
  for (const tenant of ['acme', 'birch']) {
    await makeTenant(database, tenant, { priceBook: 'euro', created: '2026-11-01T00:00:00Z' });
  }
  await expect(allocateShared(database, { billed: true, at })).rejects.toThrow(
    'the share of tenant "acme" would be billed late in USD, and the tenant pays in EUR now; one period cannot hold both; so it is with "birch" (EUR)',
  );
});

describe('law 7 names the share when', () => {
  it.each([
    [
      'it costs a picodollar more',
      "update entries set cost = cost + 1 where kind = 'allocation' and tenant_id = 'acme'",
      /pool "gpu" of 2026-10 revision 0: shares sum to/,
    ],
    [
      'two shares are exchanged',
      `update entries set cost = case tenant_id when 'acme' then 3333333333333 else 6666666666667 end
       where kind = 'allocation'`,
      /ent_\d+ of tenant "acme" \(pool "gpu"\)/,
    ],
    [
      'it is charged and was not billed',
      "update entries set charge = 1 where kind = 'allocation'",
      /ent_\d+ of tenant "acme".*charge 1 p/,
    ],
    [
      'it is gone',
      "delete from entries where kind = 'allocation' and tenant_id = 'birch'",
      /shares sum to 6666666666667 p of 10000000000000 p/,
    ],
    [
      'its pool is gone',
      'delete from allocations',
      /ent_\d+ of tenant "acme" is an allocation of no pool/,
    ],
  ])('%s', async (_, statement, named) => {
    await allocateShared(database, { at: NOVEMBER });
    const client = await database.pool.connect();
    await client.query('set session_replication_role = replica');
    await client.query(statement);
    await client.query('set session_replication_role = default');
    client.release();
    const law = (await brokenLaws(database)).find((one) => one.law === 7);
    expect(law?.violations.join('\n')).toMatch(named);
  });
});

describe('a backtest', () => {
  it('fits weights proportional to the rates by which the costs were made', async () => {
    const random = randomFrom(7);
    const upTo = (most: number) => Math.floor(random() * most);
    const events = Array.from({ length: 120 }, (_, n) => {
      const cache_read_tokens = upTo(3000);
      return nativeEvent({
        event_id: `b-${n}`,
        tenant_id: `tenant-${n % 8}`,
        usage: {
          input_tokens: cache_read_tokens + upTo(4000),
          cache_read_tokens,
          output_tokens: upTo(900),
        },
      });
    });
    await receiveEvents(database, events);
    const consumed = await readConsumption(database, { month: '2026-10', succeeded: false });
    const result = backtest(consumed, { amount: null, weights: DEFAULT_WEIGHTS });
    const [activity, weighted, fitted] = result.candidates;
    // The cost book: 2.50 input, 1.25 cache read, 10.00 output a million = 1 : 0.5 : 4.
    expect(fitted).toMatchObject({
      fitted: true,
      weights: 'input=1,cache_read=0.5,cache_write=0,output=4',
      misallocated: '0',
      rms: '0',
    });
    for (const wrong of [activity, weighted])
      expect(Number(wrong?.misallocated)).toBeGreaterThan(0);

    // Fed back, the printed weights give the same divisions and so the same divergence.
    const weights = parseWeights(fitted?.weights ?? '');
    const again = backtest(consumed, { amount: null, weights });
    expect(again.candidates[1]).toEqual({ ...fitted, fitted: false });
    // And allocated by them, each tenant bears exactly what its own entries cost.
    const amount = consumed.reduce((sum, one) => sum + one.directCost, 0n);
    const posted = await allocateShared(database, {
      ...{ amount, weights, basis: 'weighted-tokens' as const, at: NOVEMBER },
    });
    expect(posted.shares.map((share) => share.cost)).toEqual(
      result.tenants.map((tenant) => tenant.direct),
    );
  });

  it('refuses where nothing has a known cost', async () => {
    const free = await freshDatabase();
    await importBooks(free, 'standard');
    await receiveEvents(free, [nativeEvent()]);
    const consumed = await readConsumption(free, { month: '2026-10', succeeded: false });
    expect(() => backtest(consumed, { amount: null, weights: DEFAULT_WEIGHTS })).toThrow(
      expect.objectContaining({
        kind: 'incomplete',
        remedy: expect.arrayContaining([{ operation: 'rerate', month: null, tenant_id: null }]),
      }),
    );
  });
});
