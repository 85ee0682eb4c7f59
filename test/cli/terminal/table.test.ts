import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { type Column, drawTable } from '../../../src/cli/terminal/table.ts';

interface Row {
  readonly id: string;
  readonly model: string;
  readonly cost: string;
  readonly note: string;
}

const ROWS: readonly Row[] = [
  { id: 'acme', model: 'gpt-4o', cost: '1,200.5', note: '' },
  { id: 'a-tenant-with-a-name-of-forty-characters', model: 'o3', cost: '0.000123', note: 'late' },
  { id: '東京の会社', model: 'claude-sonnet-4-5', cost: 'unknown', note: '' },
];

const ID: Column<Row> = { title: 'TENANT', value: ({ id }) => id };
const MODEL: Column<Row> = { title: 'MODEL', value: ({ model }) => model, spare: true };
const COST: Column<Row> = { title: 'COST', value: ({ cost }) => cost, figure: true };
const NOTE: Column<Row> = { title: '', value: ({ note }) => note, below: true };

const lines = (columns: readonly Column<Row>[], width: number | null) =>
  stripVTControlCharacters(drawTable(ROWS, columns, width)).split('\n');

test('on a page without an end nothing is cut, and decimals stand one below the other', () => {
  expect(lines([ID, MODEL, COST], null)).toEqual([
    'TENANT                                    MODEL                      COST',
    'acme                                      gpt-4o             1,200.5',
    'a-tenant-with-a-name-of-forty-characters  o3                     0.000123',
    '東京の会社                                claude-sonnet-4-5       unknown',
  ]);
});

test('texts are cut first, the widest most, and the page says how to see them', () => {
  expect(lines([ID, COST], 40)).toEqual([
    'TENANT                              COST',
    'acme                        1,200.5',
    'a-tenant-with-a-name-of-f…      0.000123',
    '東京の会社                       unknown',
    '(--wide shows what ends in …)',
  ]);
});

test('before too little of a text is left, a column that can be spared is left out, and named', () => {
  expect(lines([ID, MODEL, COST], 46).at(-1)).toBe('(--wide shows MODEL and what ends in …)');
});

test('what nobody may miss stands in full below its row, broken at spaces', () => {
  const rows = [{ ...ROWS[0], note: 'two calls have no price: gpt-5 and gpt-5-mini' } as Row];
  expect(drawTable(rows, [ID, NOTE], 30).split('\n').slice(1)).toEqual([
    'acme',
    '  two calls have no price:',
    '  gpt-5 and gpt-5-mini',
  ]);
});

test('no line is wider than the page, whatever stands in the table', () => {
  const figures = Array.from({ length: 12 }, (_, index) => ({ ...COST, title: `COST ${index}` }));
  for (const width of [40, 60, 80]) {
    const wide = lines([ID, MODEL, ...figures], width);
    expect(wide.filter((line) => line.length > width)).toEqual([]);
    expect(wide[0]).toMatch(/^TENANT/);
  }
});
