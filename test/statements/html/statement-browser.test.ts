import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderStatementHtml } from '../../../src/statements/html/statement-html.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import { VARIETY } from '../variety.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = BROWSERS.find((path) => existsSync(path));

/** Where no browser is, the name says what was left out. */
describe.skipIf(EXECUTABLE === undefined)(
  'a statement in a browser (left out where there is none)',
  () => {
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
      browser = await chromium.launch({ executablePath: EXECUTABLE ?? '', args });
      page = await browser.newPage({ viewport: { width: 390, height: 844 }, bypassCSP: true });
    });
    afterAll(() => browser.close());

    it.each([390, 360])(
      'shows every amount on a phone %d wide, whatever it is of',
      async (width) => {
        await page.setViewportSize({ width, height: 844 });
        for (const [name, document] of Object.entries(VARIETY)) {
          await page.setContent(renderStatementHtml([viewStatement(document, 'Northwind AI')]));
          const { hidden, overflow } = await page.evaluate<Seen>(LOOK);
          expect({ name, hidden, overflow }).toEqual({ name, hidden: [], overflow: 0 });
        }
      },
    );

    it.each(['light', 'dark'] as const)('passes the checks of axe: %s', async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      const document = VARIETY['everything'];
      if (document === undefined) throw new Error('the variety has a statement of everything');
      await page.setContent(renderStatementHtml([viewStatement(document, 'Northwind AI')]));
      const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
      await page.evaluate(readFileSync(axe, 'utf8'));
      const { violations } = await page.evaluate<{ violations: readonly Violation[] }>('axe.run()');
      const faults = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      expect(faults).toEqual([]);
    });
  },
);

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

interface Seen {
  readonly hidden: readonly string[];
  readonly overflow: number;
}

/** The amounts that are not within the width of the screen, and by how much the page is wider. */
const LOOK = `({
  hidden: [...document.querySelectorAll('.amount, .due, .totals .figure')]
    .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.width === 0 || box.left < 0 || box.right > innerWidth)
    .map(({ text }) => text),
  overflow: document.documentElement.scrollWidth - innerWidth,
})`;
