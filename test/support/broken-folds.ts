import type { TestDatabase } from './database.ts';

/** Makes every fold fail, as a database in trouble does; answers what mends it. */
export async function breakFolds({
  pool,
}: Pick<TestDatabase, 'pool'>): Promise<() => Promise<void>> {
  await pool.query(`create function public.no_fold() returns trigger language plpgsql as $$
    begin raise exception 'canceling statement due to lock timeout' using errcode = '55P03'; end $$`);
  await pool.query(
    'create trigger no_fold before delete on fold_queue for each row execute function public.no_fold()',
  );
  return async () => {
    await pool.query('drop trigger no_fold on fold_queue');
    await pool.query('drop function public.no_fold()');
  };
}
