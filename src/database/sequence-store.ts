import type { Database } from './database.ts';

/**
 * Finds the sequences that would give a number once more, as after they were set back or a copy was restored
 * without them: rows would be refused, or acts of two people would stand under one number. One that the database's user
 * may not read is left out.
 */
export async function readSetBack(database: Database): Promise<readonly string[]> {
  const { rows: numbered } = await database.pool.query<Numbered>(NUMBERED);
  if (numbered.length === 0) return [];
  // The rows are those of the statement's begin, and a sequence is read as it is by now: it is never behind them.
  const questions = numbered.map(
    ({ sequence, of_table, name }) => `select '${sequence}' as sequence from ${sequence}
      where (select max(${name}) from ${of_table}) >= last_value + is_called::int`,
  );
  const { rows } = await database.pool.query<Pick<Numbered, 'sequence'>>(
    `${questions.join(' union all ')} order by 1`,
  );
  return rows.map(
    ({ sequence }) => `sequence ${sequence} was set back: it gives numbers once more`,
  );
}

interface Numbered {
  readonly sequence: string;
  readonly of_table: string;
  readonly name: string;
}

/** The sequences of identity columns, and that of acts, whose numbers stand in the journal. */
const NUMBERED = `
  select s.oid::regclass::text as sequence, c.oid::regclass::text as of_table, quote_ident(a.attname) as name
  from pg_class s join pg_namespace n on n.oid = s.relnamespace and n.nspname = 'public'
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype = 'i'
  join pg_class c on c.oid = coalesce(d.refobjid, case when s.relname = 'act_numbers' then 'changes'::regclass end)
  join pg_attribute a on a.attrelid = c.oid
    and (a.attnum = d.refobjsubid or d.objid is null and a.attname = 'act_id')
  where has_table_privilege(c.oid, 'select')
    and case s.relkind when 'S' then has_sequence_privilege(s.oid, 'select') else false end`;
