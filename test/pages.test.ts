import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { pathsBelow, ROOT, SOURCE_FILES } from './support/source-files.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The columns of a table, as the dumped schema has them. */
function columnsOf(table: string): readonly string[] {
  const body = new RegExp(`^table ${table} \\(\\n([\\s\\S]*?)^\\)`, 'm').exec(
    read('migrations/schema.sql'),
  )?.[1];
  return [...(body ?? '').matchAll(/^ {2}(?!constraint )(\w+) /gm)].map(([, name = '']) => name);
}

it.each([
  ['entries', 'src/ledger/entries/README.md'],
  ['periods', 'src/periods/README.md'],
])('every column of %s is explained on its page', (table, page) => {
  const columns = columnsOf(table);
  expect(columns.length).toBeGreaterThan(4);
  const explained = [...read(page).matchAll(/`(\w+)`/g)].map(([, name]) => name);
  expect(columns.filter((column) => !explained.includes(column))).toEqual([]);
});

const PAGES = ['src', 'test', 'infra']
  .flatMap(pathsBelow)
  .concat('README.md')
  .filter((path) => path.endsWith('.md'));

/** Whether a path that a page names is there: from the page, from src, or from the root. */
function isThere(page: string, named: string): boolean {
  return [dirname(page), 'src', ''].some((base) => existsSync(join(ROOT, base, named)));
}

it.each(PAGES)('%s names no file that is not there, and no link of it is broken', (page) => {
  const text = read(page).replace(/```[\s\S]*?```/g, '');
  const files = [...text.matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|json|md|sql))`/g)];
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)];
  const named = [...files, ...links].map(([, path = '']) => path);
  expect(named.filter((path) => !isThere(page, path))).toEqual([]);
});

/** Whether a file of that name is in the folder of the page or below it, or right in src, as the rules of all are. */
function isNear(page: string, name: string): boolean {
  const near = [`src/${name}`, `${dirname(page)}/${name}`].some((path) =>
    existsSync(join(ROOT, path)),
  );
  return near || pathsBelow(dirname(page)).some((path) => path.endsWith(`/${name}`));
}

it.each(PAGES.filter((page) => page.endsWith('/README.md')))(
  '%s names without a folder only sources that are near',
  (page) => {
    const bare = [...read(page).matchAll(/`([\w.-]+\.ts)`/g)].map(([, name = '']) => name);
    expect(bare.filter((name) => !isNear(page, name))).toEqual([]);
  },
);

it('a blank line stands before each heading of a decision', () => {
  const headings = [...read('src/DECISIONS.md').matchAll(/([^\n]*)\n(## [^\n]*)/g)];
  expect(headings.length).toBeGreaterThan(100);
  expect(headings.filter(([, before]) => before !== '').map(([, , heading]) => heading)).toEqual(
    [],
  );
});

it('doc comments begin with a subject, and not in the middle of a sentence', () => {
  const middle =
    /^(?:Whose|Which|Those|Such as|Of (?:the|a|all|each|every|whole|this)|In the order|(?:Null|Absent|Undefined) (?:where|when|for|while|until|in|by|unless|of)) ?/;
  const fragments = SOURCE_FILES.flatMap(({ path, text }) =>
    [...text.matchAll(/\/\*\*\s+(?:\* )?([^\n]*)/g)]
      .map(([, first = '']) => first)
      .filter((first) => middle.test(first))
      .map((first) => `${path}: ${first}`),
  );
  expect(fragments).toEqual([]);
});
