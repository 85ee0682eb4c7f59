import { expect, it } from 'vitest';
import { DISTRIBUTED, distribute } from '../../src/database/distribute.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';

/** Unique keys of tenants' rows that do not begin with the tenant, and why each may. */
const KEYS_WITHOUT_TENANT: Readonly<Record<string, string>> = {
  budget_holds_pkey: 'whoever settles or releases a hold knows its id alone',
  budget_raises_pkey: 'whoever answers a request knows its number alone',
  budgets_pkey: 'a budget is named by its id, which holds and counters keep',
  entries_by_id: 'an id is its batch and a place in it; distributing makes the index a plain one',
  entries_by_response: 'the call of a report without a tenant is looked for among all tenants',
  http_keys_pkey: 'a key is looked for before anybody knows whose it is',
  push_alerts_kind_subject_key: 'an alert need not concern a tenant',
  push_alerts_pkey: 'an alert need not concern a tenant',
  push_intents_identifier_key:
    'what Stripe is told by one name must be one push, whoever it is for',
  push_intents_one_ambiguous: 'Stripe sums by its own customer, whose tenant may have changed',
  settle_queue_pkey: 'what waits for a fold is taken by its batch, and is gone then',
  stripe_invoices_pkey: 'Stripe asks by its own id alone',
  tenant_logins_pkey: 'a login is one tenant alone, and says whose it is',
};

it('every unique key of rows that are a tenant’s begins with the tenant, but for those named here', async () => {
  const database = await freshDatabase();
  const { rows } = await database.pool.query<{ key: string }>(
    `select i.indexrelid::regclass::text as key
     from pg_index i join pg_class c on c.oid = i.indrelid
     join pg_attribute tenant on tenant.attrelid = c.oid and tenant.attname = 'tenant_id'
     where i.indisunique and c.relnamespace = 'public'::regnamespace and i.indkey[0] <> tenant.attnum
     order by 1`,
  );
  expect(rows.map(({ key }) => key)).toEqual(Object.keys(KEYS_WITHOUT_TENANT));
});

it('every foreign key of rows that are a tenant’s begins with the tenant', async () => {
  const database = await freshDatabase();
  const { rows } = await database.pool.query<{ reference: string }>(
    `select k.conname as reference
     from pg_constraint k
     join pg_attribute tenant on tenant.attrelid = k.conrelid and tenant.attname = 'tenant_id'
     where k.contype = 'f' and k.connamespace = 'public'::regnamespace and k.conkey[1] <> tenant.attnum
     order by 1`,
  );
  expect(rows.map(({ reference }) => reference)).toEqual([]);
});

it('what is distributed has the tenant in every unique key once the id’s is replaced', async () => {
  const database = await freshDatabase();
  const { rows } = await database.pool.query<{ key: string }>(
    `select i.indexrelid::regclass::text as key
     from pg_index i join pg_attribute tenant on tenant.attrelid = i.indrelid and tenant.attname = 'tenant_id'
     where i.indisunique and i.indrelid = any($1::regclass[]) and not tenant.attnum = any(i.indkey)`,
    [DISTRIBUTED],
  );
  expect(rows).toEqual([{ key: 'entries_by_id' }]);
});

it('a database without Citus is left as it is, and told so', async () => {
  const database = await freshDatabase();
  const before = await triggersOf(database);
  expect(await distribute(database)).toBe('absent');
  expect(await triggersOf(database)).toEqual(before);
  expect(before).toContain('entries_are_append_only');
});

async function triggersOf(database: TestDatabase): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ tgname: string }>(
    'select tgname from pg_trigger where not tgisinternal order by 1',
  );
  return rows.map(({ tgname }) => tgname);
}
