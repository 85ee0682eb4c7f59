import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { whileRunIsAlone } from '../../src/month/run-lock-store.ts';
import { type BillingScene, openBillingScene } from '../stripe/billing-scene.ts';
import { type ConsoleVisitor, type RunningConsole, startConsole } from '../support/console.ts';
import { count, textRows } from '../support/database.ts';

/** The month as it is run from the console, against Stripe's double. */

let scene: BillingScene;
let running: RunningConsole;
let admin: ConsoleVisitor;
let reader: ConsoleVisitor;

const RUN = '/console/act/run-month?month=2026-10';
const MONTH_PAGE = '/console/month?month=2026-10';

beforeAll(async () => {
  scene = await openBillingScene({ withWebhooks: false });
  const { parts, double, database } = scene;
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  running = await startConsole(database, { clock: parts.clock, stripeParts: parts });
  admin = await running.visit(await running.key('admin'));
  reader = await running.visit(await running.key('reader'));
});

afterAll(async () => {
  await running.close();
  await scene.close();
});

/** While somebody else runs the month. */
async function whileRun(work: () => Promise<void>): Promise<void> {
  await whileRunIsAlone(scene.database, '2026-10', work);
}

const eventsIn = (text: string) => [...text.matchAll(/^event: ?(\w+)/gm)].map(([, name]) => name);

describe('a run of the month', () => {
  it('shows what it would close and tell before it does, and does nothing by that', async () => {
    const { text } = await admin.get(RUN);
    expect(text).toMatch(/What becomes of the periods[\s\S]*acme[\s\S]*What Stripe is told/);
    expect(text).toContain('would');
    expect([
      await count(scene.database, 'closes'),
      await count(scene.database, 'month_run_steps'),
    ]).toEqual([0, 0]);
    expect((await admin.get(MONTH_PAGE)).text).toContain('Run the month');
  });

  it('is a second one while another goes on, and is refused in words', async () => {
    await whileRun(async () => {
      const refused = await admin.act(RUN, 'The first of the month');
      expect([refused.status, refused.text]).toEqual([
        409,
        expect.stringContaining('2026-10 is being run already'),
      ]);
      const page = (await admin.get(MONTH_PAGE)).text;
      expect(page).toContain('runs now');
      expect(page).not.toContain('act/run-month');
    });
    expect(await count(scene.database, 'month_run_steps')).toBe(0);
  });

  it('goes on without the browser that began it, as the act of whoever began it', async () => {
    const begun = await admin.act(RUN, 'The first of the month');
    expect(begun.text).toContain('has begun');
    await vi.waitFor(
      async () => expect((await admin.get(MONTH_PAGE)).text).not.toContain('data-live'),
      { timeout: 20_000, interval: 200 },
    );
    // The clock of the scene stands still, so that the steps have one start and no order by it.
    expect(
      await textRows(
        scene.database,
        `select step, state from month_run_steps order by step collate "C"`,
      ),
    ).toEqual(
      ['check', 'close', 'confirm', 'push', 'release', 'seal', 'verify'].map((step) => ({
        step,
        state: 'done',
      })),
    );
    expect(
      await textRows(
        scene.database,
        "select distinct actor, act, reason from changes where of_table = 'closes'",
      ),
    ).toEqual([{ actor: 'admin', act: 'run-month', reason: 'The first of the month' }]);
    expect((await admin.get(MONTH_PAGE)).text).toContain('Run again from where it stopped');
  });

  it('is followed by whoever looks, part by part, until it ends', async () => {
    let ended = Promise.resolve('');
    await whileRun(async () => {
      const { text } = await reader.get(MONTH_PAGE);
      const [, live = ''] = /data-live="([^"]+)"/.exec(text) ?? [];
      ended = reader.get(live.replaceAll('&amp;', '&')).then(({ text }) => text);
      await wait(300);
    });
    expect(eventsIn(await ended)).toEqual([
      ...['cards', 'steps', 'tenants', 'said', 'said', 'head', 'unexplained', 'lacks', 'end'],
    ]);
  });

  it('has no button for a reader, who is refused it', async () => {
    expect((await reader.get(MONTH_PAGE)).text).not.toContain('/console/act/');
    expect((await reader.get(RUN)).status).toBe(403);
    expect(
      (await running.visit(null).then((nobody) => nobody.get('/console/live/month'))).status,
    ).toBe(303);
  });
});

it('what a comparison and a release are about is shown before they are made', async () => {
  const compared = await admin.get('/console/act/reconcile?month=2026-10');
  expect(compared.text).toMatch(/acme[\s\S]*found/);
  expect((await admin.act('/console/act/reconcile?month=2026-10', 'To see')).status).toBe(200);
  expect((await admin.act('/console/act/release?month=2026-10', 'To see')).text).toContain(
    'released',
  );
});
