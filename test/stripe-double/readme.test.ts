import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** What the double must do, numbered as in the list that it was made after. */
const ITEMS = Array.from({ length: 13 }, (_, index) => String(index + 1));

it('the README names a test for every behavior, and each is there', () => {
  const rows = [...read('../../src/stripe-double/README.md').matchAll(ROW)];
  const missing = rows.filter(([, , file, name]) => !read(`${file}.test.ts`).includes(`'${name}'`));
  expect(missing.map(([row]) => row)).toEqual([]);
  expect(new Set(rows.map(([, item]) => item))).toEqual(new Set([...ITEMS, '']));
});

const ROW = /^\| (\d*) ?\| [^|]+ \| `([^`]+)` \| (.+) \|$/gm;
