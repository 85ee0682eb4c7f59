import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeAnswer } from '../../src/ledger/closes/close-answer.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { monthsPlanAnswer } from '../../src/month/month-answer.ts';
import { cli } from '../support/cli.ts';
import { textRows } from '../support/database.ts';
import { makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { openPushScene, type PushScene } from '../support/stripe.ts';

/** October: closed and told to nobody of acme; open of birch, who is live, and of fern, who is metered. */

let scene: PushScene;
const closing: (() => Promise<void>)[] = [];
const day = '2026-10-15T12:00:00Z';
const usage = { input_tokens: 1_000_000, output_tokens: 100_000 };

beforeAll(async () => {
  scene = await openPushScene(['acme'], {}, (close) => closing.unshift(close));
  const { database, double } = scene;
  double.control.addCustomer({ id: 'cus_birch' });
  await makeTenant(database, 'birch', { mode: 'live', stripeCustomer: 'cus_birch' });
  await makeTenant(database, 'fern', {});
  await makeTenant(database, 'gone', {});
  await receiveEvents(
    database,
    ['birch', 'fern'].map((tenant) =>
      nativeEvent({ event_id: tenant, tenant_id: tenant, occurred_at: day, usage }),
    ),
    '2026-10-20T12:00:00Z',
  );
  await foldAll(database, scene.options.clock);
});

afterAll(async () => {
  for (const close of closing) await close();
});

const run = (...args: readonly string[]) => cli(args, scene.environment);

/** Every row of every table, as one hash a table. */
async function ledgerNow(): Promise<unknown> {
  const tables = await textRows(
    scene.database,
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  const hashes: unknown[] = [];
  for (const { name } of tables) {
    const of = await textRows(
      scene.database,
      `select '${name}' as table, count(*) as rows, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash from "${name}" t`,
    );
    hashes.push(...of);
  }
  return hashes;
}

describe('a dry run', () => {
  it('of a close says what would be closed, and for how much', async () => {
    const before = await ledgerNow();
    const { stdout } = await run('close', scene.month, '--dry-run', '--json');
    const rows = closeAnswer.parse(JSON.parse(stdout));
    expect(rows.map((row) => [row.tenant_id, row.state, row.charge_total])).toEqual([
      ['acme', 'already_closed', '4.20'],
      ['birch', 'would_close', '4.20'],
      ['fern', 'would_close', '4.20'],
      ['gone', 'would_close', '0.00'],
      ['unattributed', 'already_closed', '0.00'],
    ]);
    expect(await ledgerNow()).toEqual(before);
  });

  it('of the whole month says what Stripe would be told, and tells it nothing', async () => {
    const before = await ledgerNow();
    const { control } = scene.double;
    const asked = control.requests().length;
    const { stdout } = await run('run-month', scene.month, '--dry-run', '--json');
    const plan = monthsPlanAnswer.parse(JSON.parse(stdout));
    expect(plan.pushes.map((row) => [row.tenant_id, row.state])).toEqual([
      ['acme', 'would_send'],
      ['birch', 'would_send'],
      ['fern', 'shadow'],
      ['gone', 'shadow'],
      ['unattributed', 'shadow'],
    ]);
    expect(plan.pushes[1]?.detail).toMatch(/ \(new\) 4\.200000 USD to cus_birch$/);
    expect(await ledgerNow()).toEqual(before);
    const methods = control.requests().slice(asked);
    expect(methods.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('in words shows both, and says that nothing was changed', async () => {
    const { stdout } = await run('run-month', scene.month, '--dry-run');
    expect(stdout).toMatch(/^nothing was closed, told or written \(--dry-run\)\n/);
    expect(stdout).toMatch(/^birch +2026-10-01 +would close +4\.20 +USD$/m);
    expect(stdout).toMatch(/^birch +2026-10-01 +would send +0\.000000 +USD$/m);
  });

  it('is what the close then does, to the cent', async () => {
    const dry = await run('close', scene.month, '--dry-run', '--json');
    const done = await run('close', scene.month, '--json');
    const totals = (text: string) =>
      closeAnswer.parse(JSON.parse(text)).map((row) => [row.tenant_id, row.charge_total]);
    expect(totals(done.stdout)).toEqual(totals(dry.stdout));
  });
});
