import { sql } from 'kysely';
import { formatInstant, type InstantMs } from '../clock.ts';
import type { Database, Transaction } from '../database/database.ts';

/** The one who sends every statement of this ledger. */
export interface Issuer {
  readonly name: string | null;
  readonly address: string | null;
  /** The picture as a data URI. */
  readonly logo: string | null;
  readonly support_url: string | null;
  readonly support_email: string | null;
  readonly set_at: InstantMs | null;
}

const UNSET: Issuer = {
  name: null,
  address: null,
  logo: null,
  support_url: null,
  support_email: null,
  set_at: null,
};

export async function readIssuer({ kysely }: Pick<Database, 'kysely'>): Promise<Issuer> {
  const { rows } = await sql<Issuer>`
    select name, address, logo, support_url, support_email, set_at from issuer`.execute(kysely);
  return rows[0] ?? UNSET;
}

/** Writes the one row. */
export async function saveIssuer(
  { kysely }: Transaction,
  issuer: Issuer,
  at: InstantMs,
): Promise<void> {
  const { name, address, logo, support_url, support_email } = issuer;
  await sql`
    insert into issuer (name, address, logo, support_url, support_email, set_at)
    values (${name}, ${address}, ${logo}, ${support_url}, ${support_email}, ${formatInstant(at)})
    on conflict (only_one) do update set name = excluded.name, address = excluded.address, logo = excluded.logo,
      support_url = excluded.support_url, support_email = excluded.support_email, set_at = excluded.set_at`.execute(
    kysely,
  );
}
