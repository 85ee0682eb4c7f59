import { sql } from 'kysely';

/** A row of the answer, as Postgres writes it in JSON. */
export interface StoryTexts<Row> {
  readonly story: Row;
}

/** Columns that are shown as texts: ids; and amounts, since a JSON number would be read as a float (R14). */
const TEXTS = [
  'quarantine_id',
  'charge',
  'cost',
  'reported_cost',
  'per_call',
  'input_per_million',
  'output_per_million',
  'cache_read_per_million',
  'cache_write_per_million',
  'charge_exact',
  'carried_in',
  'billable',
  'carried_out',
  'charge_total',
  'value',
];

/** Returns a row as JSON, its columns in their order. */
export function storyOf(alias: string) {
  return sql`(select json_object_agg(key, case when key = any(${TEXTS}::text[]) then to_json(value #>> '{}')
    else value end) from json_each(row_to_json(${sql.raw(alias)})))`;
}

export function stories<Row>(rows: readonly StoryTexts<Row>[]): readonly Row[] {
  return rows.map((row) => row.story);
}
