import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
} from '../support/ledger.ts';

/** What a person reads about prices, word for word. */

let database: TestDatabase;
let drop: () => Promise<void>;
let folder: string;

const FROM = '2026-01-01T00:00:00Z';

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  folder = await mkdtemp(join(tmpdir(), 'spanledger-prices-'));
  await importBooks(database, 'standard', 'cost', 'cost-plus');
  const deal = { book: 'deal', kind: 'charge', currency: 'USD', effective_from: FROM };
  const rates = { per_million: { input: '2.00', output: '9.00' } };
  await importBook(database, {
    ...deal,
    base: 'standard',
    models: [{ model: 'gpt-4o', ...rates }],
  });
  await importBook(database, {
    ...deal,
    book: 'euro',
    currency: 'EUR',
    models: [{ model: 'gpt-4o', ...rates }],
  });
  await makeTenant(database, 'dune', { priceBook: 'euro', priceBookFrom: Date.parse(FROM) });
  await receiveEvents(database, [
    nativeEvent({ event_id: 'waiting', requested_model: 'gpt-5' }),
    nativeEvent({ event_id: 'other', requested_model: 'gpt-6' }),
    nativeEvent({ event_id: 'euro', tenant_id: 'dune' }),
  ]);
  await foldAll(database, systemClock);
});

afterAll(async () => {
  await drop();
  await rm(folder, { recursive: true });
});

async function run(...args: readonly string[]) {
  const environment = { DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' };
  const { stdout, stderr } = await cli(args, environment);
  return stdout + stderr;
}

it('price-book list says where the prices come from that a book does not have itself', async () => {
  expect(await run('price-book', 'list')).toMatchInlineSnapshot(`
    "BOOK           KIND    CURRENCY  EFFECTIVE FROM        OTHERWISE    DEFAULT
    cost-plus      charge  USD       2026-01-01T00:00:00Z  cost × 1.2
    deal           charge  USD       2026-01-01T00:00:00Z  as standard
    euro           charge  EUR       2026-01-01T00:00:00Z
    provider-list  cost    USD       2026-01-01T00:00:00Z
    standard       charge  USD       2026-01-01T00:00:00Z               default
    (--wide shows CACHING, MODELS)
    "
  `);
});

it('price-book diff shows the rows that are charged otherwise, and the terms', async () => {
  expect(await run('price-book', 'diff', 'deal', 'euro')).toMatchInlineSnapshot(`
    "currency: USD before, EUR after
    PROVIDER  MODEL                  TIER      ABOVE  BEFORE                  AFTER
              gpt-4o                 batch            input 1.50, output 6.…  (none)
              gpt-4o-mini            standard         input 0.20, cache_rea…  (none)
              text-embedding-3-sma…  standard         input 0.03, output 0    (none)
    (--wide shows what ends in …)
    "
  `);
  expect(await run('price-book', 'diff', `deal@${FROM}`, 'cost-plus')).toMatchInlineSnapshot(`
    "cost factor: none before, 1.2 after
    PROVIDER  MODEL                   TIER      BEFORE                  AFTER
              gpt-4o                  batch     input 1.50, output 6.…  (cost × 1.2)
              gpt-4o                  standard  input 2.00, output 9.…  (cost × 1.2)
              gpt-4o-mini             standard  input 0.20, cache_rea…  (cost × 1.2)
              text-embedding-3-small  standard  input 0.03, output 0    (cost × 1.2)
    (--wide shows ABOVE and what ends in …)
    "
  `);
});

it('report usage has a line for each currency, and a coverage for each', async () => {
  expect(await run('report', 'usage', '--by', 'provider')).toMatchInlineSnapshot(`
    "PROVIDER  ENTRIES  INPUT       CHARGE     COST   MARGIN        UNKNOWN COST
    openai          1  1,000  EUR    0.00  unknown  unknown  100.00 % of charge
    openai          2  2,000  USD    0.00  unknown  unknown           2    of 2
    total           1  1,000  EUR    0.00  unknown  unknown  100.00 % of charge
    total           2  2,000  USD    0.00  unknown  unknown           2    of 2
    (--wide shows OUTPUT, ROUTING GAIN)

    the cost of 3 entries is unknown: import a cost book that has the model, or rates with "spanledger fx import" where its cost is in another currency, and run "spanledger rerate" for the month
    2 entries are charged nothing as yet, for want of a price or of usage: "--by outcome,requested_model" names them; import a price book that has the model and run "spanledger rerate" for the month, or give the usage with "spanledger correct"
    Attribution coverage: no cost is known in EUR; the cost of 1 entry is unknown
    Attribution coverage: no cost is known in USD; the cost of 2 entries is unknown
    "
  `);
});

it('rerate says what is unknown, and what still has no price', async () => {
  const book = { book: 'standard', kind: 'charge', currency: 'USD' };
  const path = join(folder, 'newer.json');
  const models = [{ model: 'gpt-5', per_million: { input: '5.00', output: '20.00' } }];
  const newer = { ...book, effective_from: '2026-10-01T00:00:00Z', models };
  await writeFile(path, JSON.stringify(newer));
  expect(await run('price-book', 'import', path)).toBe(
    'standard from 2026-10-01T00:00:00Z: imported (1 model)\n' +
      '  it takes the price away from gpt-4o (batch), gpt-4o, gpt-4o-mini, text-embedding-3-small\n',
  );
  expect(await run('rerate', '2026-10', '--dry-run')).toMatchInlineSnapshot(`
    "nothing was posted (--dry-run)
    TENANT  MODEL  ENTRIES  RELEASED  CHARGE  AFTER          COST  COST AFTER
    acme    gpt-5        1         1    none  0.007  USD  unknown     unknown
    total USD: 1 entry, charge 0 before and 0.007 after, cost unknown before and unknown after
    still without a price: acme gpt-6 (1); import a price for each model, then rerate 2026-10 again
    "
  `);
  expect(
    await run('rerate', '2026-10', '--tenant', 'acme', '--actor', 'ada'),
  ).toMatchInlineSnapshot(`
    "TENANT  MODEL  ENTRIES  RELEASED  CHARGE  AFTER          COST  COST AFTER
    acme    gpt-5        1         1    none  0.007  USD  unknown     unknown
    total USD: 1 entry, charge 0 before and 0.007 after, cost unknown before and unknown after
    still without a price: acme gpt-6 (1); import a price for each model, then rerate 2026-10 again
    "
  `);
});

it('audit event tells the whole history of an event as one story', async () => {
  const story = (await run('audit', 'event', 'default', 'waiting')).split('\n\n').at(1) ?? '';
  // Corrections are recorded by the clock of whoever ran the command.
  expect(story.replaceAll(/\d{4}-\d\d-\d\dT\S+/g, 'T')).toMatchInlineSnapshot(`
    "Story
      T  ent_1000001 posted for acme, unrated, no charge known, no cost known, in the period from 2026-10-01
      T  ent_2000000 takes ent_1000001 back, unrated, no charge known, no cost known, in the period from 2026-10-01: re-rated (ada)
      T  ent_2000001 replaces ent_1000001, for acme, charged, charge 0.007 USD, no cost known, in the period from 2026-10-01: re-rated (ada)
      what stands now: ent_2000001"
  `);
});

it('a seed names the deployments whose model it has no price for', async () => {
  const deployments = [
    { name: 'prod-chat', at: 'azure', model: 'gpt-4o' },
    { name: 'ours', model: 'llama-of-our-own', provider: 'vllm' },
  ];
  const environment = { SPANLEDGER_MODEL_MAP: JSON.stringify({ deployments }) };
  const file = join(folder, 'seeded.json');
  const { stdout, stderr } = await cli(['price-book', 'seed', '--out', file], environment);
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /\nno price for what these deployments are: ours; their cost is unknown\n$/,
  );
});
