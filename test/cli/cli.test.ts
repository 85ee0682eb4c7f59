import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { cli, cliProcess, startCli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { count, createDatabase, freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents, sharedBook } from '../support/ledger.ts';

let database: TestDatabase;
let drop: () => Promise<void>;
let folder: string;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  folder = await mkdtemp(join(tmpdir(), 'spanledger-cli-'));
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent(), { ...nativeEvent(), event_id: 'bad', attempt: 0 }]);
  const clock = () => Date.parse('2026-11-01T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
});

afterAll(async () => {
  await drop();
  await rm(folder, { recursive: true });
});

const environment = () => ({ DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' });
const run = (...args: readonly string[]) => cli(args, environment());

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe.concurrent('a wrong command line exits with 2 and says what is wrong', () => {
  it.each([
    { args: ['frobnicate'], says: "unknown command 'frobnicate'" },
    { args: ['close'], says: "missing required argument 'month'" },
    { args: ['close', '2026-13'], says: 'write the month as YYYY-MM, such as 2026-10' },
    { args: ['close', 'October'], says: 'write the month as YYYY-MM' },
    { args: ['close', '2026-10', '--all'], says: "unknown option '--all'" },
    { args: ['tenant', 'set', 'acme', '--mode', 'dark'], says: 'Allowed choices are shadow, live' },
    { args: ['tenant', 'set', 'acme', '--anchor-day', '32'], says: 'a day of the month, 1 to 31' },
    {
      args: ['price-book', 'import', '/does/not/exist.json'],
      says: 'cannot open /does/not/exist.json',
    },
    {
      args: ['price-book', 'seed', '--from', 'October'],
      says: 'write the instant with its offset',
    },
    { args: ['worker', '--pollers', '0'], says: 'a whole number above 0' },
    { args: ['quarantine', 'show', 'one'], says: 'the number that the list shows' },
    { args: ['statement', 'acme'], says: "missing required argument 'month'" },
  ])('spanledger $args', async ({ args, says }) => {
    const result = await run(...args);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(says);
    expect(result.stdout).toBe('');
  });
});

it.each([
  ['quarantine', 'replay', 'x'],
  ['quarantine', 'dismiss', '1', 'x', '--reason', 'seen'],
])('an argument of a list that cannot be read is a wrong command line: %s %s', async (...args) => {
  const { exitCode, stderr } = await cli(args, { DATABASE_URL: 'postgres://127.0.0.1:1/none' });
  expect(stderr).toContain('error: give the number that the list shows.');
  expect(stderr).not.toContain(' at ');
  expect(exitCode).toBe(2);
});

it('a wrong command line is told to whoever waits for the process, too', async () => {
  const result = await cliProcess(['frobnicate']);
  expect(result).toMatchObject({ exitCode: 2, stdout: '' });
  expect(result.stderr).toContain("unknown command 'frobnicate'");
});

describe.concurrent('the environment', () => {
  it('says which variable is missing, and gives an example', async () => {
    const result = await cli(['verify'], {});
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('DATABASE_URL is not set');
    expect(result.stderr).toContain('set DATABASE_URL (or DATABASE_URL_FILE), such as postgres://');
  });

  it('says which of several is missing for this command only', async () => {
    const queue = await run('worker');
    expect(queue.exitCode).toBe(2);
    expect(queue.stderr).toContain('SPANLEDGER_QUEUE_URL is not set');
    const stripe = await run('push', '2026-10');
    expect(stripe.exitCode).toBe(2);
    expect(stripe.stderr).toContain('STRIPE_API_KEY is not set');
    const hashing = { ...environment(), SPANLEDGER_EMAIL_IDENTIFIERS: 'hash' };
    const replay = await cli(['quarantine', 'replay'], hashing);
    expect(replay.exitCode).toBe(2);
    expect(replay.stderr).toContain('SPANLEDGER_EMAIL_KEY is not set');
  });

  it('says which server does not answer', async () => {
    const result = await cli(['verify'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain(
      'the server does not answer: connect ECONNREFUSED 127.0.0.1:1\n',
    );
    expect(result.stderr).toContain('DATABASE_URL');
  });

  it('names every variable that does not fit, and never its value', async () => {
    const wrong = { DATABASE_URL: 'mysql://secret-1', STRIPE_API_KEY: 'secret-2' };
    const result = await cli(['verify'], wrong);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('DATABASE_URL: must begin with postgres://');
    expect(result.stderr).toContain('STRIPE_API_KEY: must begin with sk_ or rk_');
    expect(result.stderr).not.toContain('secret-');
  });

  it('takes a variable from the file that X_FILE names', async () => {
    const path = await file('url', `${database.url}\n`);
    const result = await cliProcess(['verify', '--json'], { DATABASE_URL_FILE: path });
    expect(result.exitCode, result.stderr).toBe(0);
  });

  it('says when such a file cannot be read', async () => {
    const result = await cli(['verify'], { DATABASE_URL_FILE: join(folder, 'absent') });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('DATABASE_URL_FILE names a file that cannot be read');
  });

  it('says that the database does not answer, with exit code 3', async () => {
    const result = await cliProcess(['verify'], { DATABASE_URL: 'postgres://127.0.0.1:1/nothing' });
    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('ECONNREFUSED');
  });
});

describe.concurrent('--json prints one JSON document on stdout and nothing else there', () => {
  it.each([
    { args: ['migrate'], exitCode: 0 },
    { args: ['tenant', 'list'], exitCode: 0 },
    { args: ['tenant', 'set', 'acme', '--mode', 'live'], exitCode: 0 },
    { args: ['price-book', 'list'], exitCode: 0 },
    { args: ['price-book', 'show', 'standard'], exitCode: 0 },
    // It closes what it can, and one event waits in quarantine all the same.
    { args: ['close', '2026-10'], exitCode: 1 },
    { args: ['statement', 'acme', '2026-10'], exitCode: 0 },
    { args: ['audit', 'event', 'default', 'evt-1'], exitCode: 0 },
    {
      args: ['audit', 'event', 'default', 'evt-1', '--as-of', '2026-10-20T12:00:00Z'],
      exitCode: 0,
    },
    { args: ['report', 'usage', '--by', 'kind', '--as-of', '2026-10-20T12:00:00Z'], exitCode: 0 },
    { args: ['quarantine', 'list'], exitCode: 0 },
    { args: ['quarantine', 'show', '1'], exitCode: 0 },
    // The one that waits is still wrong, so the replay found something wrong.
    { args: ['quarantine', 'replay'], exitCode: 1 },
    { args: ['verify'], exitCode: 0 },
  ])('spanledger $args', async ({ args, exitCode }) => {
    const result = await run(...args, '--json');
    expect(result.exitCode, result.stderr).toBe(exitCode);
    expect(result.stdout.endsWith('\n')).toBe(true);
    expect(JSON.parse(result.stdout)).toBeTypeOf('object');
  });

  it('also without anything to say: stdout stays empty when a command is refused', async () => {
    const result = await run('statement', 'nobody', '2026-10', '--json');
    expect(result).toMatchObject({ exitCode: 1, stdout: '' });
    expect(result.stderr).toContain('there is no tenant "nobody"');
    expect(result.stderr).toContain('spanledger tenant list');
  });
});

describe('a command', () => {
  it('imports a book once, says so, and refuses another under its date', async () => {
    const own = { ...(sharedBook('micro') as object), book: 'cli' };
    const path = await file('book.json', JSON.stringify(own));
    expect((await run('price-book', 'import', path)).stdout).toBe(
      'cli from 2026-01-01T00:00:00Z: imported (1 model)\n',
    );
    expect((await run('price-book', 'import', path)).stdout).toContain(': unchanged');
    const other = await file('other.json', JSON.stringify({ ...own, caching: 'pass_through' }));
    const refused = await run('price-book', 'import', other);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('a version is immutable');
  });

  it('exits with 1 when it replays what was dismissed, and says that it is not posted', async () => {
    const dismissing = await freshDatabase();
    await receiveEvents(dismissing, [nativeEvent({ attempt: 0 })]);
    const url = { DATABASE_URL: dismissing.url };
    await cli(['quarantine', 'dismiss', '1', '--reason', 'a test'], url);
    const replayed = await cli(['quarantine', 'replay', '1'], url);
    expect(replayed.exitCode, replayed.stderr).toBe(1);
    expect(replayed.stdout).toBe('1: dismissed, it waits no longer, and was not posted\n');
  });

  it('exits with 1 when it replays what is still in conflict, and waits as before', async () => {
    const conflicting = await freshDatabase();
    await importBooks(conflicting, 'standard');
    await receiveEvents(conflicting, [nativeEvent()]);
    await receiveEvents(conflicting, [nativeEvent({ requested_model: 'gpt-4o-mini' })]);
    const replayed = await cli(['quarantine', 'replay', '1'], { DATABASE_URL: conflicting.url });
    expect(replayed.exitCode, replayed.stderr).toBe(1);
    expect(replayed.stdout).toBe(
      '1: conflict, the ledger still holds this event with another content\n',
    );
  });

  it('exits with 1 when verify finds a law broken, and names the row', async () => {
    const broken = await freshDatabase();
    await importBooks(broken, 'standard');
    await receiveEvents(broken, [nativeEvent()]);
    const client = await broken.pool.connect();
    await client.query('set session_replication_role = replica');
    await client.query('update entries set charge = charge + 1');
    client.release();
    const result = await cliProcess(['verify'], { DATABASE_URL: broken.url });
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain('law 7   BROKEN');
    expect(result.stdout).toMatch(/ent_\d+ of tenant "acme"/);
  });

  it('asked for help answers and exits with 0', async () => {
    const result = await run('--help');
    expect(result.exitCode).toBe(0);
    for (const name of ['migrate', 'worker', 'close', 'push', 'reconcile', 'verify']) {
      expect(result.stdout).toContain(`  ${name} `);
    }
  });

  it('asked for its version says that of package.json', async () => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(await cliProcess(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
  });

  it.each([
    ['a statement', ['statement', 'acme', '2026-10']],
    ['a proof', ['statement', 'acme', '2026-10', '--proof']],
  ])('writes %s for a reader that has gone, and complains of nothing', async (_, args) => {
    const { child, finished } = startCli(args, environment());
    child.stdout?.destroy();
    expect(await finished).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('migrate', () => {
  it('is safe from four processes at once', async () => {
    const empty = await freshDatabase({ schema: 'empty' });
    const runs = [1, 2, 3, 4].map(() =>
      cliProcess(['migrate', '--json'], { DATABASE_URL: empty.url }),
    );
    const results = await Promise.all(runs);
    for (const result of results) expect(result.exitCode, result.stderr).toBe(0);
    // One of them applied everything, the others found it done.
    const applied = results.map((result) => JSON.parse(result.stdout).applied.length);
    expect(applied.filter((n) => n > 0)).toHaveLength(1);
    expect(await count(empty, 'schema_migrations')).toBe(Math.max(...applied));
  });

  it('refuses a migration that was edited after it had been applied', async () => {
    const migrated = await freshDatabase();
    await migrated.pool.query("update schema_migration_hashes set hash = 'of another text'");
    const result = await cli(['migrate'], { DATABASE_URL: migrated.url });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(
      'migrations/0001-ledger.sql was edited after it had been applied',
    );
    expect(result.stderr).toContain('put the change into a new migration');
  });

  it('of an older program is refused by name, and so is a command that the newer schema does not fit', async () => {
    const migrated = await freshDatabase();
    const environment = { DATABASE_URL: migrated.url };
    await migrated.pool.query(`insert into schema_migrations
      values ('9998-of-tomorrow', '2027-01-01T00:00:00.000Z'), ('9999-newer', '2027-01-02T00:00:00.000Z')`);
    const said =
      /older than the schema of the database, which has 9999-newer and 1 more that it does not know\n {2}use the version/;
    const migrating = await cli(['migrate'], environment);
    expect(migrating.stderr).toMatch(said);
    expect(migrating.exitCode).toBe(3);
    // What fits goes on: code of before works while the new one is deployed.
    expect((await cli(['tenant', 'list'], environment)).exitCode).toBe(0);
    await migrated.pool.query('alter table tenants rename to customers');
    const listing = await cli(['tenant', 'list'], environment);
    expect(listing.stderr).toMatch(said);
    expect(listing.exitCode).toBe(3);
  });
});
