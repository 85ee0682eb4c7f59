import { randomUUID } from 'node:crypto';
import type { TestDatabase } from './database.ts';

/** A user that is a member of one role and nothing else: what it may, it may whatever it sets. */
export interface Login {
  readonly name: string;
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes one as infra/README.md says; the worker's passes row-level security. */
export async function makeLogin(
  { pool, url }: TestDatabase,
  role: 'spanledger_worker' | 'spanledger_reader' | 'spanledger_tenant',
): Promise<Login> {
  const name = `login_${randomUUID().replaceAll('-', '')}`;
  const right = role === 'spanledger_worker' ? 'bypassrls' : '';
  await pool.query(`create role ${name} login password 'secret' ${right} in role ${role}`);
  const address = new URL(url);
  address.username = name;
  address.password = 'secret';
  return {
    name,
    url: address.href,
    async drop() {
      await pool.query(`drop owned by ${name}; drop role ${name}`);
    },
  };
}
