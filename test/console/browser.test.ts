import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { insertIntent } from '../../src/push/intent-store.ts';
import { addEndpoint } from '../../src/webhooks/manage-endpoints.ts';
import { type RunningConsole, startConsole } from '../support/console.ts';
import { CONSOLE_NOW, fillForConsole } from '../support/console-ledger.ts';
import { count, createDatabase, type TestDatabase } from '../support/database.ts';
import { nativeEvent, receiveEvents } from '../support/ledger.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = BROWSERS.find((path) => existsSync(path));

/** A folder into which every page is drawn at three widths, in light and in dark, to be looked at. */
const PICTURES = process.env['SPANLEDGER_PICTURES'];

const PAGES = [
  '/',
  '/console',
  '/console/tenants',
  '/console/tenants/acme',
  '/console/runs',
  '/console/runs?by=feature&order=loops',
  '/console/runs/run-of-acme',
  '/console/month',
  '/console/prices',
  '/console/prices/standard',
  '/console/quarantine',
  '/console/quarantine/1',
  '/console/events/default/no-price',
  '/console/statements/acme/2026-10',
  '/console/statements/acme/2026-10/lines/1',
  '/console/exports',
  '/console/alerts',
  '/console/acts',
  '/console/backtests',
  '/console/webhooks',
  '/console/act/adjust?tenant_id=acme&amount=-1',
  '/console/act/import-book',
  '/console/act/what-if?month=2026-10',
  '/console/act/set-issuer',
  '/console/act/set-budget?tenant_id=acme&tokens=5000&per=day',
  '/console/act/allocate?pool=gateway&month=2026-10&amount=12.00&by=activity',
];

const RECEIVER = 'https://hooks.example.com/ledger';
const PARKED = 'spl-acme-parked';

/** Acts about somebody who is told of what happens, and about a push that waits for a person. */
function actsOn(receiver: string): readonly string[] {
  return [
    '/console/act/add-webhook',
    `/console/act/add-webhook?${new URLSearchParams({ url: RECEIVER })}`,
    ...['test', 'disable', 'remove'].map(
      (what) => `/console/act/${what}-webhook?endpoint_id=${receiver}`,
    ),
    `/console/act/replay-webhooks?since=2026-11-18T00:00:00Z&endpoint_id=${receiver}`,
    `/console/act/unpark?identifier=${PARKED}`,
  ];
}

/** A push of acme's that Stripe answered in a way that no program decides. */
async function parkPush(database: TestDatabase): Promise<void> {
  await insertIntent(
    database,
    {
      ...{ tenantId: 'acme', periodStart: '2026-10-01', sequence: 1, identifier: PARKED },
      ...{ destination: 'meter', channel: 'spanledger_usage_usd', customer: 'cus_acme' },
      ...{ livemode: false, account: null, valueMicro: 100n, eventTimestamp: 1_793_491_199 },
    },
    CONSOLE_NOW,
  );
  await database.pool.query(
    `update push_intents set state = 'parked', attempts = 9, last_answer = 'it answered 500 for a day'`,
  );
}

const LONG = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
const RIGHT_TO_LEFT = 'شركة الاختبار المحدودة للتجارة والصناعة والتطوير 2026';

/** Tenants, runs and features with names that no column has room for, and amounts of millions, which need theirs. */
async function useLongNames(database: TestDatabase): Promise<void> {
  const events = [LONG, RIGHT_TO_LEFT].map((name) =>
    nativeEvent({
      ...{ event_id: `of-${name}`, tenant_id: name, agent_run_id: name, feature: name },
      occurred_at: '2026-11-05T00:00:00Z',
      usage: { input_tokens: 123_456_789_012, output_tokens: 98_765_432_109 },
    }),
  );
  await receiveEvents(database, events, '2026-11-18T09:59:00Z');
  await foldAll(database, () => CONSOLE_NOW);
}

/** Where no browser is, the name says what was left out. */
describe.skipIf(EXECUTABLE === undefined)(
  'the console in a browser (left out where there is none)',
  () => {
    let database: TestDatabase;
    let drop: () => Promise<void>;
    let running: RunningConsole;
    let browser: Browser;
    let context: BrowserContext;
    let page: Page;
    let receiver: string;
    const foreign: string[] = [];
    const complaints: string[] = [];

    beforeAll(async () => {
      ({ database, drop } = await createDatabase());
      await fillForConsole(database);
      await useLongNames(database);
      await parkPush(database);
      const told = { database, clock: () => CONSOLE_NOW, allowsPrivateWebhooks: false };
      const asked = { url: RECEIVER, events: null, actor: 'a test' };
      ({ endpoint_id: receiver } = await addEndpoint(told, asked));
      running = await startConsole(database, { clock: () => CONSOLE_NOW });
      const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
      browser = await chromium.launch({ executablePath: EXECUTABLE ?? '', args });
      context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      page = await context.newPage();
      page.on('request', (request) => {
        const url = request.url();
        if (!url.startsWith(running.url) && !url.startsWith('data:')) foreign.push(url);
      });
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.goto(`${running.url}/console`);
      await page.keyboard.press('Tab');
      await page.getByLabel('Key').fill(await running.key('admin'));
      await page.keyboard.press('Enter');
      await page.waitForURL(`${running.url}/console`);
    });
    afterAll(async () => {
      await browser.close();
      await running.close();
      await drop();
    });

    /** What has no color is the same in both schemes: in the dark only the contrast is looked at again. */
    async function faultsOf(at: Page, scheme: 'light' | 'dark'): Promise<readonly string[]> {
      await at.emulateMedia({ colorScheme: scheme });
      const found = await at.evaluate<{ violations: readonly Violation[] }>(
        scheme === 'light'
          ? "axe.run(document, { resultTypes: ['violations'] })"
          : "axe.run(document, { resultTypes: ['violations'], runOnly: ['color-contrast'] })",
      );
      return found.violations.map(({ id, nodes }) => `${scheme} ${id}: ${nodes[0]?.html}`);
    }

    it(
      'passes the checks of axe in light and in dark, fits every screen, and asks nobody else',
      async () => {
        const links = await Promise.all(
          ['acme', LONG, RIGHT_TO_LEFT].map((tenant) => running.key('link', tenant)),
        );
        const ofCustomers = links.map((link) => `/usage/${link}`);
        const [proof] = ofCustomers.map((path) => `${path}/statements/2026-10/proof`);
        // In a world of its own, which the policy of the page says nothing about.
        const axe = readFileSync(
          createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
          'utf8',
        );
        const wrong: string[] = [];
        for (const path of [...PAGES, ...actsOn(receiver), ...ofCustomers, `${proof}`]) {
          await page.setViewportSize({ width: 1280, height: 900 });
          await page.goto(`${running.url}${path}`);
          await page.evaluate(axe);
          for (const scheme of ['light', 'dark'] as const) {
            wrong.push(...(await faultsOf(page, scheme)).map((fault) => `${path} ${fault}`));
            await draw(path, scheme, 1280);
          }
          for (const width of [768, 390]) {
            await page.setViewportSize({ width, height: 900 });
            for (const scheme of ['light', 'dark'] as const) await draw(path, scheme, width);
            const wider = await page.evaluate<number>(
              'document.documentElement.scrollWidth - innerWidth',
            );
            if (wider > 0) wrong.push(`${path} is ${wider} wider than ${width}`);
            const broken = await page.evaluate<number>(
              "[...document.querySelectorAll('.big .amount')].filter((of) => of.getClientRects().length > 1).length",
            );
            if (broken > 0) wrong.push(`${path} breaks an amount in two at ${width}`);
          }
        }
        expect(wrong).toEqual([]);
        expect(foreign).toEqual([]);
        expect(complaints).toEqual([]);
      },
      PICTURES === undefined ? 240_000 : 400_000,
    );

    it('cuts no column on a desk and breaks no state within a word, however long names are', async () => {
      await page.setViewportSize({ width: 1280, height: 900 });
      const wrong: string[] = [];
      for (const path of ['', '/tenants', '/runs', '/runs?by=tenant', '/quarantine', '/month']) {
        await page.goto(`${running.url}/console${path}`);
        const found = await page.evaluate<readonly string[]>(
          `[...document.querySelectorAll('.scroll')].filter((of) => of.scrollWidth > of.clientWidth).map((of) => of.ariaLabel + ' is cut')
            .concat([...document.querySelectorAll('.chip')].filter((of) => !of.textContent.includes(' ') && of.clientHeight > 30).map((of) => of.textContent + ' is broken'))`,
        );
        wrong.push(...found.map((fault) => `${path} ${fault}`));
      }
      expect(wrong).toEqual([]);
    });

    it('cuts a name at its end, whichever way it is written', async () => {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(`${running.url}/console/tenants`);
      const directions = await page.evaluate<readonly string[]>(
        `[...document.querySelectorAll('th a[href^="/console/tenants/"]')].filter((of) => of.scrollWidth > of.clientWidth).map((of) => getComputedStyle(of).direction)`,
      );
      expect(directions.toSorted()).toEqual(['ltr', 'rtl']);
    });

    it('keeps what stands in one cell together on a phone, and cuts no way to mend anything', async () => {
      await page.setViewportSize({ width: 390, height: 900 });
      await page.goto(`${running.url}/console/quarantine`);
      const gap = await page.evaluate<number>(
        `(() => { const [source, event] = document.querySelectorAll('td[data-title="Source and event"] bdi'); return event.getBoundingClientRect().left - source.getBoundingClientRect().right; })()`,
      );
      expect(gap).toBeLessThan(10);
      await page.goto(`${running.url}/console/tenants/acme`);
      const cut = await page.evaluate<readonly string[]>(
        `[...document.querySelectorAll('td[data-title="Mend it"] a')].filter((of) => of.scrollWidth > of.clientWidth && of.clientWidth > 0).map((of) => of.textContent)`,
      );
      expect(cut).toEqual([]);
    });

    async function draw(path: string, scheme: 'light' | 'dark', width: number): Promise<void> {
      if (PICTURES === undefined) return;
      await page.emulateMedia({ colorScheme: scheme });
      const name = path.replace(/(slk_link|whk)_\w+/, '$1').replaceAll(/[^a-z0-9]+/gi, '-');
      const file = join(PICTURES, `${name}-${scheme}-${width}.png`);
      await page.screenshot({ path: file, fullPage: true });
    }

    /** Opens a page, and goes by the keyboard to the form of an act, as its address then says. */
    async function walkTo(from: string, words: string, form: RegExp): Promise<void> {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(`${running.url}${from}`);
      await tabTo(page, words);
      await page.keyboard.press('Enter');
      await page.waitForURL(form);
    }

    /** Says why below the difference, and sends it. */
    async function sayWhy(reason: string): Promise<void> {
      await tabTo(page, 'reason');
      await page.keyboard.type(reason);
      await page.keyboard.press('Enter');
      await page.getByText('Recorded as the act of admin').waitFor();
    }

    describe('an act is done by the keyboard alone, from its page to what came of it', () => {
      it('a credit', async () => {
        await walkTo('/console/tenants/acme', 'Credit or fee', /act\/adjust/);
        await tabTo(page, 'amount');
        await page.keyboard.type('-3.50');
        await page.keyboard.press('Enter');
        await page.waitForURL(/amount=-3.50/);
        await sayWhy('A late answer');
        expect(await count(database, "entries where kind = 'adjustment' and charge < 0")).toBe(1);
      });

      it('the dismissal of events that were ticked', async () => {
        await page.goto(`${running.url}/console/quarantine`);
        await tabTo(page, 'quarantine_ids');
        await page.keyboard.press('Space');
        await tabTo(page, 'Dismiss the ticked');
        await page.keyboard.press('Enter');
        await page.waitForURL(/act\/dismiss\?quarantine_ids=\d+$/);
        await sayWhy('Made up by a test');
        expect(await count(database, 'quarantine where dismissed_at is not null')).toBe(1);
      });

      it('the correction of an entry', async () => {
        const of = '/console/events/default/acme-2026-11-3';
        await walkTo(of, 'Correct', /act\/correct/);
        await tabTo(page, 'feature');
        await page.keyboard.type('search');
        await page.keyboard.press('Enter');
        await page.waitForURL(/feature=search/);
        await sayWhy('It was tagged by a slip');
        expect(await count(database, "entries where feature = 'search' and revision > 0")).toBe(1);
      });

      it('the re-rating of a month', async () => {
        await walkTo('/console/prices', 'Re-rate a month', /act\/rerate/);
        await sayWhy('The prices of October are known');
        await page.getByText('entries are looked at').waitFor();
        expect(page.url()).toMatch(/act\/rerate$/);
      });
    });

    it('a customer checks the proof in the browser', async () => {
      const link = await running.key('link', 'acme');
      await page.goto(`${running.url}/usage/${link}/statements/2026-10/proof`);
      expect(await page.locator('.verdict').textContent()).toBe('The proof holds.');
      expect(complaints).toEqual([]);
    });
  },
);

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(
      `(document.activeElement?.getAttribute('name') ?? document.activeElement?.textContent ?? '').trim()`,
    );
    if (focused === name) return;
  }
  throw new Error(`no Tab leads to ${name}`);
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}
