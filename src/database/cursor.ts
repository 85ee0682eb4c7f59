import type { Transaction } from './database.ts';

/** A query whose rows are read some at a time, so that never all of them are in memory. */
export interface CursorQuery {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Rows of one fetch. Default 5,000; fewer where a row is large. */
  readonly rowsAtOnce?: number;
  /** Settings of the planner, by name; they hold until commit. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Cursor<Row> {
  /** The next rows; none when all were read, and from then on. */
  fetch(): Promise<readonly Row[]>;
}

const ROWS_AT_ONCE = 5_000;
let opened = 0;

/** Opens a cursor, with the snapshot of this moment; it lives as long as the transaction at the most. */
export async function openCursor<Row extends object>(
  { client }: Transaction,
  query: CursorQuery,
): Promise<Cursor<Row>> {
  // A cursor is planned for its first rows unless told that all will be read.
  const settings = { cursor_tuple_fraction: '1', ...query.settings };
  await client.query(
    'select set_config(name, value, true) from unnest($1::text[], $2::text[]) setting(name, value)',
    [Object.keys(settings), Object.values(settings)],
  );
  opened += 1;
  const name = `cursor_${opened}`;
  await client.query(`declare ${name} no scroll cursor for ${query.text}`, [...query.values]);
  let isOpen = true;
  return {
    async fetch() {
      if (!isOpen) return [];
      const { rows } = await client.query<Row>(
        `fetch ${query.rowsAtOnce ?? ROWS_AT_ONCE} from ${name}`,
      );
      isOpen = rows.length > 0;
      if (!isOpen) await client.query(`close ${name}`);
      return rows;
    },
  };
}

/** Hands on every row of a query, one after the other. */
export async function eachRow<Row extends object>(
  transaction: Transaction,
  query: CursorQuery,
  work: (row: Row) => void,
): Promise<void> {
  const cursor = await openCursor<Row>(transaction, query);
  for (let rows = await cursor.fetch(); rows.length > 0; rows = await cursor.fetch()) {
    for (const row of rows) work(row);
  }
}
