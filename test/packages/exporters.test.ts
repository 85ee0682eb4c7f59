import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createKey } from '../../src/keys/create-key.ts';
import { startCli } from '../support/cli.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBook, makeTenant } from '../support/ledger.ts';
import { chatAnswer, messageAnswer } from '../support/provider-answers.ts';
import { openProvider } from '../support/provider-double.ts';
import { ROOT } from '../support/source-files.ts';
import { brokenLaws } from '../support/worker.ts';

/** Instrumentations of others, as their packages are, send to a server as applications have them send. */

const BOOK = {
  ...{ book: 'standard', kind: 'charge', currency: 'USD', caching: 'pass_through' },
  effective_from: '2026-01-01T00:00:00Z',
  models: [
    { model: 'gpt-4o', per_million: { input: '3', output: '12', cache_read: '1.5' } },
    {
      model: 'claude-sonnet-4-5',
      per_million: { input: '3', output: '15', cache_read: '0.3', cache_write: '3.75' },
    },
  ],
};

// In the order of a row: input, of which read from a cache, output, and the charge.
const CALLS: readonly (readonly [string, readonly string[]])[] = [
  // The package tells nothing of caches: 1,200 × $3 + 300 × $12 a million.
  ['traceloop-openai', ['1200', '0', '300', '0.0072']],
  // 800 × $3 + 400 × $1.50 + 300 × $12 a million.
  ['openinference-openai', ['1200', '400', '300', '0.0066']],
  // 10 × $3 + 1,000 × $0.30 + 200 × $3.75 + 50 × $15 a million.
  ['openinference-anthropic', ['1210', '1000', '50', '0.00183']],
  ['ai-sdk', ['1200', '400', '300', '0.0066']],
];

const ALL = CALLS.flatMap(([name, told]) =>
  ['json', 'protobuf'].map((encoding) => [name, encoding, told] as const),
);

it('a call under each instrumentation is billed right by either encoding, and no text of it is kept', async () => {
  const database = await freshDatabase();
  await importBook(database, BOOK);
  // Each answer has an id of its own, as each call is another one.
  const provider = await openProvider((path, nth) => ({
    body: path.includes('messages')
      ? messageAnswer({ id: `msg_${nth}`, model: SERVED, usage: MESSAGE_USAGE })
      : chatAnswer({ id: `chatcmpl-${nth}` }),
  }));
  await makeTenant(database, 'acme', { mode: 'live', priceBook: 'standard' });
  const { key } = await createKey(
    { database, clock: systemClock },
    {
      ...{ role: 'ingest', name: null, tenant_id: null, source: null, tenant_ids: null },
      ...{ rate: null, expires_at: null, expires_in_days: null, actor: 'a test' },
    },
  );
  const environment = {
    ...{ PROVIDER_URL: provider.url, COLLECTOR_URL: await serve(database), COLLECTOR_KEY: key },
    PATH: process.env['PATH'] ?? '',
  };
  for (const [name, encoding, told] of ALL) {
    const before = (await entriesOf(database)).length;
    const app = join(ROOT, 'infra/packages/exporting-app.js');
    await promisify(execFile)(process.execPath, [app, name, encoding], { env: environment });
    const added = (await entriesOf(database)).slice(before);
    expect(added, `${name} by ${encoding}`).toEqual([told]);
  }
  expect(await brokenLaws(database)).toEqual([]);
  expect(await tablesWith(database, ['words of a customer', 'sunny'])).toEqual([]);
});

const SERVED = 'claude-sonnet-4-5-20250929';
const MESSAGE_USAGE = {
  ...{ input_tokens: 10, cache_creation_input_tokens: 200, cache_read_input_tokens: 1000 },
  output_tokens: 50,
};

async function serve(database: TestDatabase): Promise<string> {
  const environment = { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' };
  const running = startCli(['serve', '--direct', '--port', '0', '--json'], environment);
  onTestFinished(async () => {
    running.kill('SIGTERM');
    await running.finished;
  });
  const { stdout } = running.child;
  if (stdout === null) throw new Error('the server has no output');
  const [line] = (await once(stdout, 'data')) as [Buffer];
  return JSON.parse(line.toString('utf8')).url;
}

async function entriesOf(database: TestDatabase): Promise<readonly (readonly string[])[]> {
  const columns = ['input_tokens', 'cache_read_tokens', 'output_tokens', 'charge'];
  const rows = await textRows(
    database,
    `select ${columns.join(', ')} from audit.entries where tenant_id = 'acme' order by length(entry_id), entry_id`,
  );
  return rows.map((row) => columns.map((column) => String(row[column])));
}

/** The tables in which one of the texts stands anywhere. */
async function tablesWith(database: TestDatabase, texts: readonly string[]) {
  const tables = await textRows(
    database,
    "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  const found: string[] = [];
  for (const { table_name: table } of tables) {
    const { rows } = await database.pool.query(
      `select 1 from ${table} t where t::text like any($1::text[]) limit 1`,
      [texts.map((text) => `%${text}%`)],
    );
    if (rows.length > 0) found.push(String(table));
  }
  return found;
}
