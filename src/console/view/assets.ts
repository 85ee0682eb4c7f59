import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { STYLE_SHEET } from './style-sheet.ts';

/** A file that never changes under its address, since its digest is in it: browsers keep it for a year. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

const FONTS = [400, 600].map((weight) => {
  const file = import.meta.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff2`);
  const body = new Uint8Array(readFileSync(fileURLToPath(file)));
  return { weight, asset: assetOf(`inter-${weight}`, 'woff2', { type: 'font/woff2', body }) };
});

const FACES = FONTS.map(
  ({ weight, asset }) =>
    `@font-face { font-family: Inter; font-weight: ${weight}; font-display: swap; src: url(${asset.path}) format("woff2"); }`,
).join('\n');

/** The one style sheet of the console and of the customer's page. */
export const STYLE: Asset = assetOf('style', 'css', {
  type: 'text/css; charset=utf-8',
  body: `${FACES}\n${STYLE_SHEET}`,
});

/**
 * A form sends itself when a choice is made, and a page with `data-live` follows what goes on: each part is replaced as
 * its event comes, but for the one in which somebody is. No page needs it.
 */
export const SCRIPT: Asset = assetOf('script', 'js', {
  type: 'text/javascript; charset=utf-8',
  body: `'use strict';
for (const select of document.querySelectorAll('select[data-send]'))
  select.addEventListener('change', () => select.form.requestSubmit());
const page = document.querySelector('[data-live]');
if (page !== null) {
  const source = new EventSource(page.dataset.live);
  for (const part of page.querySelectorAll('[data-part]')) {
    let next = null;
    const show = () => {
      if (next === null || part.contains(document.activeElement)) return;
      part.innerHTML = next;
      next = null;
    };
    source.addEventListener(part.dataset.part, ({ data }) => { next = data; show(); });
    part.addEventListener('focusout', () => setTimeout(show));
  }
  const said = page.querySelector('[role="status"]');
  source.addEventListener('said', ({ data }) => { said.textContent = data; });
  source.addEventListener('end', () => source.close());
}
`,
});

export const ASSETS: readonly Asset[] = [STYLE, SCRIPT, ...FONTS.map(({ asset }) => asset)];

function assetOf(name: string, ending: string, of: Omit<Asset, 'path'>): Asset {
  const digest = createHash('sha256').update(of.body).digest('base64url').slice(0, 16);
  return { path: `/console/assets/${name}-${digest}.${ending}`, ...of };
}
