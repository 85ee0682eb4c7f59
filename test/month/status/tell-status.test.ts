import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closeTenant } from '../../../src/ledger/closes/close-tenant.ts';
import { adjustTenant } from '../../../src/ledger/corrections/adjust-tenant.ts';
import { tellStatus } from '../../../src/month/status/tell-status.ts';
import { cli, cliProcess } from '../../support/cli.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it('counts what was taken for second reports of calls, by producer and by reason', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const answer = nativeEvent({ response_id: 'r1', call_id: 'c1' });
  const again = (event_id: string, change: object) => ({ ...answer, event_id, ...change });
  await receiveEvents(database, [
    answer,
    again('s1', { source: 'sdk' }),
    again('s2', { source: 'sdk' }),
    again('g1', { source: 'gateway', response_id: undefined }),
  ]);
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const parts = { database, clock, queue: 'not asked', destinationFault: 'not asked' };
  const status = await tellStatus(parts, { month: '2026-10' });
  expect(status.second_reports).toEqual([
    { source: 'gateway', because: 'call', count: 1 },
    { source: 'sdk', because: 'response', count: 2 },
  ]);
});

it.each([
  { args: ['status', '--month', '2026-10'], says: 'quarantine            150\n' },
  { args: ['quarantine', 'list'], says: '"bad-150"' },
])(
  '$args holds no more of the quarantine at once than the memory of the image allows',
  async ({ args, says }) => {
    // given bodies that are more together than a process of the image may hold
    const database = await freshDatabase();
    await receiveEvents(database, [nativeEvent({ event_id: 'bad-1', attempt: 0 })]);
    await database.pool.query(`
    insert into quarantine (batch_id, received_at, source, event_id, reason, detail, body, cut)
    select batch_id, received_at, source, 'bad-' || n, reason, 'of ' || to_json('bad-' || n),
      left(body, -1) || ', "user_id": "' || repeat('u', 900000) || '"}', 0
    from quarantine, generate_series(2, 150) n`);
    const memory = { NODE_OPTIONS: '--max-old-space-size=112' };
    const { stdout, stderr } = await cliProcess(args, { DATABASE_URL: database.url, ...memory });
    expect(stderr).toBe('');
    expect(stdout).toContain(says);
  },
);

it('counts an event in quarantine once, however many tenants it names', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const members = ['acme', 'globex'].map((tenant_id) => ({ member_id: tenant_id, tenant_id }));
  const batched = nativeEvent({ event_id: 'batched', attempt: 0, tenant_id: undefined, members });
  await receiveEvents(database, [batched, nativeEvent({ event_id: 'bad', attempt: 0 })]);
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const parts = { database, clock, queue: 'not asked', destinationFault: 'not asked' };
  for (const month of [null, '2026-10']) {
    const { quarantine, missing } = await tellStatus(parts, { month });
    expect(quarantine).toBe(2);
    expect(missing.map(({ tenant_id, count }) => [tenant_id, count])).toEqual([
      ['acme', 2],
      ['globex', 1],
    ]);
  }
});

it('names the units that have no price, and a model alone where it has none at all', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const usage = { input_tokens: 10, output_tokens: 0, images: 2, searches: 1 };
  await receiveEvents(database, [
    nativeEvent({ event_id: 'pictures', usage }),
    nativeEvent({ event_id: 'unknown', requested_model: 'gpt-9' }),
  ]);
  const clock = () => parseInstant('2026-10-20T12:00:00Z');
  const parts = { database, clock, queue: 'not asked', destinationFault: 'not asked' };
  const { missing } = await tellStatus(parts, { month: '2026-10' });
  const unrated = missing.filter(({ kind }) => kind === 'unrated');
  expect(unrated).toMatchObject([{ tenant_id: 'acme', count: 2 }]);
  expect(unrated[0]?.detail).toMatch(
    /^2 entries without a price: gpt-4o for (?:images and web searches|web searches and images), gpt-9 \(ent_/,
  );
});

it('tells in words how things stand, what keeps the month from being whole, and what is owed to who left', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  for (const tenant of ['acme', 'globex']) {
    await makeTenant(database, tenant, { created: '2020-01-15T00:00:00Z' });
  }
  await makeTenant(database, 'globex', { mode: 'live', stripeCustomer: 'cus_globex' });
  await receiveEvents(database, [nativeEvent({ event_id: 'bad', attempt: 0 })]);
  const parts = { database, clock: () => parseInstant('2020-02-10T00:00:00Z') };
  const credit = { amount: -5_000_000_000_000n, id: 'sorry', reason: 'an outage', actor: 'ann' };
  await adjustTenant(parts, { ...credit, tenant_id: 'globex' });
  const later = { database, clock: () => parseInstant('2020-02-11T00:00:00Z') };
  await closeTenant(later, { tenant_id: 'globex', at: parseInstant('2020-02-10T12:00:00Z') });

  const said = await cli(['status', '--month', '2026-10'], { DATABASE_URL: database.url });

  expect(said.stderr).toBe('');
  expect(said.exitCode).toBe(1);
  const lines = said.stdout
    .split('\n')
    .filter((line) => !/^(?:last batch|lag|open per)/.test(line));
  expect(lines).toEqual(STATUS_TEXT);
});

// 1000 x 3 + 100 x 12 = 4200 = 0.0042
const STATUS_TEXT = [
  'queue                 not known',
  'unrated               0',
  'unmeasured            0',
  'without a cost        0',
  'quarantine            1',
  'under two tenants     0',
  'reported twice        0',
  'unregistered tenants  0',
  'holds                 0',
  'untold periods        0',
  'unbilled periods      0',
  'on two invoices       0',
  'on voided invoices    0',
  'alerts                0',
  'left                  "globex", USD 5 owed to it',
  'rollups behind        0 batches',
  'seals behind          2 batches',
  'the queue was not asked: SPANLEDGER_QUEUE_URL is not set',
  'Stripe was not asked: STRIPE_API_KEY is not set; what it counted is as the last push or reconcile saw it',
  '',
  'not whole, 1 thing to look at:',
  '  tenant "acme": 1 event in quarantine (invalid_field 1), worth 0.0042 USD: 1',
  '    "spanledger quarantine list" shows them; replay, accept or dismiss each, and',
  '    send again what was wrong',
  '',
];
