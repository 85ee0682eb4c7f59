import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';

/** A thing that keeps a month from being whole, as it was told. */
export interface ToldMissing {
  readonly thing: string;
  /** What it named that stands still; null for one that was told before names were kept. */
  readonly names: readonly string[] | null;
  readonly told_count: number;
  readonly told_at: InstantMs;
}

/** Reads what is told and stands; whoever looks at the same time waits until the transaction ends. */
export async function takeToldMissing({
  kysely,
  client,
}: Transaction): Promise<readonly ToldMissing[]> {
  await client.query("select pg_advisory_xact_lock(hashtextextended('webhook_missing', 0))");
  const { rows } = await sql<Omit<ToldMissing, 'told_count'> & { told_count: bigint }>`
    select thing, names, told_count, told_at from webhook_missing`.execute(kysely);
  return rows.map((row) => ({ ...row, told_count: Number(row.told_count) }));
}

/** Keeps what is told now and what of its names stands still, and forgets what ended. */
export async function changeToldMissing(
  { kysely }: Transaction,
  changes: {
    readonly told: readonly ToldMissing[];
    readonly renamed: readonly ToldMissing[];
    readonly ended: readonly string[];
  },
): Promise<void> {
  const kept = [...changes.told, ...changes.renamed].map(({ told_at: at, ...row }) => ({
    ...row,
    told_at: formatInstant(at),
  }));
  if (changes.ended.length > 0) {
    await sql`delete from webhook_missing where thing = any(${[...changes.ended]}::text[])`.execute(
      kysely,
    );
  }
  if (kept.length === 0) return;
  await sql`
    insert into webhook_missing (thing, names, told_count, told_at)
    select thing, names, told_count, told_at
    from jsonb_to_recordset(${JSON.stringify(kept)}::jsonb)
      k(thing text, names text[], told_count bigint, told_at timestamptz)
    on conflict (thing) do update set names = excluded.names, told_count = excluded.told_count,
      told_at = excluded.told_at`.execute(kysely);
}
