import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scramVerifier } from '../../src/database/scram-verifier.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase, reopen, textRows } from '../support/database.ts';
import { makeLogin } from '../support/login.ts';

const PASSWORD = 'no-ordinary-password-1';
const user = `ingest_${randomBytes(6).toString('hex')}`;

let owner: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database: owner, drop } = await createDatabase());
});

afterAll(async () => {
  await owner.pool.query(`drop owned by ${user}; drop role ${user}`);
  await drop();
});

function migrateWith(name: string, password = PASSWORD) {
  const named = { SPANLEDGER_WORKER_USER: name, SPANLEDGER_WORKER_PASSWORD: password };
  return cli(['migrate', '--roles'], { DATABASE_URL: owner.url, ...named });
}

async function keptOf(name: string): Promise<string> {
  const asked = `select rolpassword from pg_authid where rolname = '${name}'`;
  return String((await textRows(owner, asked))[0]?.['rolpassword']);
}

it('the roles come with a login of the worker, who is a member of its role and of nothing else', async () => {
  for (const password of [PASSWORD, `${PASSWORD}-next`]) {
    const made = await migrateWith(user, password);
    expect(made.stdout, made.stderr).toContain(
      `${user} logs in as the worker, and as nothing else`,
    );
    const [, salt = ''] = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(await keptOf(user)) ?? [];
    expect(await keptOf(user)).toBe(scramVerifier(password, Buffer.from(salt, 'base64')));
  }
  const roles = await textRows(
    owner,
    `select roleid::regrole::text as role from pg_auth_members where member = '${user}'::regrole`,
  );
  expect(roles).toEqual([{ role: 'spanledger_worker' }]);
  const address = new URL(owner.url);
  address.username = user;
  const worker = reopen(address.href, 1);
  await worker.pool.query('select from entries');
  // Whatever it sets, it stays the worker.
  for (const statement of ['set role none', 'reset role', 'set session authorization default']) {
    await worker.pool.query(statement);
    await expect(worker.pool.query('update entries set charge = 0')).rejects.toThrow(
      'permission denied',
    );
  }
});

it('what is kept of a password is what Postgres makes of it', async () => {
  await owner.pool.query(`alter role ${user} password '${PASSWORD}'`);
  const kept = await keptOf(user);
  const [, salt = ''] = /^SCRAM-SHA-256\$4096:([^$]+)\$/.exec(kept) ?? [];
  expect(scramVerifier(PASSWORD, Buffer.from(salt, 'base64'))).toBe(kept);
});

it('a user who may do more than a worker keeps its password and is refused', async () => {
  const reader = await makeLogin(owner, 'spanledger_reader');
  for (const name of ['postgres', reader.name]) {
    const before = await keptOf(name);
    const refused = await migrateWith(name);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain(`"${name}" may do more than a worker`);
    expect(await keptOf(name)).toBe(before);
  }
  await reader.drop();
});

it('a login without a password is refused before anything is done', async () => {
  const environment = { DATABASE_URL: owner.url, SPANLEDGER_WORKER_USER: user };
  const refused = await cli(['migrate', '--roles'], environment);
  expect(refused.stderr).toContain('SPANLEDGER_WORKER_PASSWORD is not set');
});
