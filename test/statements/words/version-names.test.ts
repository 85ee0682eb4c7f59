import { expect, it } from 'vitest';
import { versionNames } from '../../../src/statements/words/version-names.ts';

it.each<[string, readonly (readonly [string, string])[], readonly string[]]>([
  [
    'by their days where these differ, and where they are of two books',
    [
      ['standard', '2026-10-01T00:00:00.000Z'],
      ['standard', '2026-10-16T14:30:00.000Z'],
      ['team', '2026-10-01T08:00:00.000Z'],
    ],
    ['2026-10-01', '2026-10-16', '2026-10-01'],
  ],
  [
    'by the minute where one book has two of a day',
    [
      ['standard', '2026-10-01T00:00:00.000Z'],
      ['standard', '2026-10-01T14:30:00.000Z'],
    ],
    ['2026-10-01 00:00 UTC', '2026-10-01 14:30 UTC'],
  ],
  [
    'by as much of the time as tells them apart',
    [
      ['standard', '2026-10-01T14:30:05.000Z'],
      ['standard', '2026-10-01T14:30:05.250Z'],
      ['standard', '2026-10-01T14:30:09.000Z'],
    ],
    ['2026-10-01 14:30:05.000 UTC', '2026-10-01 14:30:05.250 UTC', '2026-10-01 14:30:09 UTC'],
  ],
  ['by words where one holds since ever', [['standard', '-infinity']], ['since ever']],
])('versions of price books are named %s', (_how, books, names) => {
  expect(versionNames(books.map(([book, version]) => ({ book, version })))).toEqual(names);
});
