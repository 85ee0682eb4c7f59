import type { StatementDocument } from '../statement-answer.ts';

type Version = Pick<StatementDocument['price_books'][number], 'book' | 'version'>;

/**
 * Names the versions of price books by the day on which they begin, in UTC; of one book's versions that begin on one
 * day by as much of the time as tells them apart.
 */
export function versionNames(books: readonly Version[]): readonly string[] {
  return books.map(({ book, version }) => {
    if (version.startsWith('-')) return 'since ever';
    const others = books.filter((other) => other.book === book && other.version !== version);
    const length = LENGTHS.find((some) => {
      return others.every((other) => other.version.slice(0, some) !== version.slice(0, some));
    });
    const [day = '', time] = version.slice(0, length).split('T');
    return time === undefined ? day : `${day} ${time} UTC`;
  });
}

/** The characters of an instant up to its day, its minute, its second and its millisecond. */
const LENGTHS = [
  '2026-10-01',
  '2026-10-01T14:30',
  '2026-10-01T14:30:00',
  '2026-10-01T14:30:00.000',
].map(({ length }) => length);
