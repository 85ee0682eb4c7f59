import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatInstant, type InstantMs, parseInstant } from '../../clock.ts';
import type { Database } from '../../database/database.ts';
import { readTextFile } from '../../files.ts';
import type { LaidBook, PriceTerms } from '../../rating/books/price-book-diff.ts';
import { diffPriceBooks, termsOf } from '../../rating/books/price-book-diff.ts';
import type { PriceBookDocument } from '../../rating/books/price-book-document.ts';
import { parsePriceBook } from '../../rating/books/price-book-document.ts';
import {
  importPriceBook,
  listPriceBooks,
  showPriceBook,
} from '../../rating/books/price-book-store.ts';
import { Refusal } from '../../refusal.ts';
import { readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addPriceBook(program: Command): void {
  const group = program.command('price-book').description('dated prices, charged and paid');
  addImport(group);
  addList(group);
  addShow(group);
  addDiff(group);
  addSeed(group);
}

function addImport(group: Command): void {
  const command = group
    .command('import')
    .argument('<file>', 'a price book as JSON, or an array of them')
    .description('store a book as a new version; the identical one again changes nothing');
  perform(command, async (session, { args: [file = ''] }) => {
    const json = await readJson(file);
    const documents = (Array.isArray(json) ? json : [json]).map(parsePriceBook);
    const database = session.database();
    const imported = [];
    for (const document of documents) {
      const answer = await importPriceBook(database, document, session.clock());
      const { book, effective_from, models } = document;
      imported.push({ book, effective_from, models: models.length, answer });
    }
    const text = imported
      .map(
        (one) =>
          `${one.book} from ${one.effective_from}: ${one.answer} (${countModels(one.models)})`,
      )
      .join('\n');
    session.out.answer(imported.length === 1 ? imported[0] : imported, text);
  });
}

function countModels(count: number): string {
  return count === 1 ? '1 model' : `${count} models`;
}

async function readJson(file: string): Promise<unknown> {
  const text = await readTextFile(file);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal('bad_document', `${file} is not JSON: ${String(error)}`, 'mend the file');
  }
}

function addList(group: Command): void {
  const command = group.command('list').description('every version of every book');
  perform(command, async (session) => {
    const books = await listPriceBooks(session.database());
    const text = table(books, [
      { title: 'BOOK', value: (row) => row.book },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'CURRENCY', value: (row) => row.currency },
      { title: 'EFFECTIVE FROM', value: (row) => row.effective_from },
      { title: 'CACHING', value: (row) => row.caching },
      { title: 'MODELS', value: (row) => String(row.models), figure: true },
      { title: 'OTHERWISE', value: renderOtherwise },
    ]);
    session.out.answer(books, books.length === 0 ? 'no price books yet' : text);
  });
}

/** Names the place from which a book without a row for a call takes its prices. */
function renderOtherwise(row: {
  readonly base: string | null;
  readonly cost_factor: string | null;
}): string {
  if (row.cost_factor !== null) return `cost × ${row.cost_factor}`;
  return row.base === null ? '' : `as ${row.base}`;
}

function addShow(group: Command): void {
  const command = group
    .command('show')
    .argument('<book>')
    .description('the versions of one book, as imported');
  perform(command, async (session, { args: [book = ''] }) => {
    const versions = await showPriceBook(session.database(), book);
    session.out.answer(versions, JSON.stringify(versions, null, 2));
  });
}

function addDiff(group: Command): void {
  const command = group
    .command('diff')
    .argument('<a>', 'a book, or one version of it as BOOK@INSTANT')
    .argument('<b>', 'another')
    .description('the rows that two books, or two versions of one, price differently');
  perform(command, async (session, { args: [a = '', b = ''] }) => {
    const database = session.database();
    const before = await readSelected(database, a);
    const after = await readSelected(database, b);
    const rows = diffPriceBooks(before, after);
    const terms = { before: termsOf(before), after: termsOf(after) };
    const { before: was, after: is } = terms;
    const text = table(rows, [
      { title: 'PROVIDER', value: (row) => row.provider ?? '' },
      { title: 'MODEL', value: (row) => row.model },
      { title: 'TIER', value: (row) => row.service_tier },
      { title: 'ABOVE', value: (row) => String(row.above_input_tokens || ''), figure: true },
      { title: 'BEFORE', value: (row) => renderRates(was, row.before, row.per_call_before) },
      { title: 'AFTER', value: (row) => renderRates(is, row.after, row.per_call_after) },
    ]);
    const changed = TERMS.filter((term) => was[term] !== is[term]).map(
      (term) =>
        `${term.replace('_', ' ')}: ${was[term] ?? 'none'} before, ${is[term] ?? 'none'} after`,
    );
    const lines = rows.length === 0 ? changed : [...changed, text];
    session.out.answer(
      { ...terms, rows },
      lines.length === 0 ? 'both have the same prices' : lines.join('\n'),
    );
  });
}

/** What of a book's terms makes other amounts of the same rows. */
const TERMS = ['kind', 'currency', 'caching', 'cost_factor'] as const;

/**
 * The newest version of a book, or the one that begins at the instant after the @; and what it is laid
 * over, as it is at that instant, or in its newest version.
 */
async function readSelected(database: Database, selector: string): Promise<LaidBook> {
  const [book = '', instant] = selector.split('@');
  const versions = (await showPriceBook(database, book)).map(parsePriceBook);
  const at = instant === undefined ? null : readInstant(instant);
  const chosen =
    at === null
      ? versions.at(-1)
      : versions.find((version) => parseInstant(version.effective_from) === at);
  if (chosen !== undefined) return [chosen, ...(await readBases(database, chosen, at))];
  throw new Refusal(
    'not_found',
    `price book "${book}" has no version from ${instant}`,
    `its versions begin at ${versions.map((version) => version.effective_from).join(', ')}`,
  );
}

async function readBases(
  database: Database,
  { base }: PriceBookDocument,
  at: InstantMs | null,
): Promise<readonly PriceBookDocument[]> {
  if (base === undefined) return [];
  const versions = (await showPriceBook(database, base)).map(parsePriceBook);
  const inForce = versions.findLast(
    (version) => at === null || parseInstant(version.effective_from) <= at,
  );
  return inForce === undefined ? [] : [inForce, ...(await readBases(database, inForce, at))];
}

function renderRates(
  terms: PriceTerms,
  rates: PriceBookDocument['models'][number]['per_million'] | null,
  perCall: string | null,
): string {
  if (rates === null) {
    return terms.cost_factor === null ? '(none)' : `(cost × ${terms.cost_factor})`;
  }
  const parts = Object.entries(rates).map(([name, rate]) => `${name} ${rate}`);
  return [...parts, ...(perCall === null || perCall === '0' ? [] : [`call ${perCall}`])].join(', ');
}

function addSeed(group: Command): void {
  const command = group
    .command('seed')
    .description('make a cost book of the prices that @pydantic/genai-prices carries')
    .option('--book <name>', 'its name', 'providers')
    .option(
      '--from <instant>',
      'from when the first version holds',
      readInstant,
      parseInstant('2025-01-01T00:00:00Z'),
    )
    .option('--out <file>', 'write it for review instead of importing it');
  perform<{ book: string; from: InstantMs; out?: string }>(
    command,
    async (session, { options }) => {
      const { book, from, out } = options;
      // The package holds two megabytes of prices, and no other command needs them.
      const { seedCostBook, SEED_SOURCE } = await import('../../rating/books/genai-seed.ts');
      const effectiveFrom = formatInstant(from);
      const documents = seedCostBook({ book, effectiveFrom, currency: 'USD' });
      if (out !== undefined) await writeFile(out, `${JSON.stringify(documents, null, 1)}\n`);
      const versions = [];
      for (const document of documents) {
        const { effective_from, models } = document;
        const answer =
          out === undefined
            ? await importPriceBook(session.database(), document, session.clock())
            : 'written';
        versions.push({ book, effective_from, models: models.length, answer });
      }
      const text = versions.map(
        (one) => `${book} from ${one.effective_from}: ${one.answer} (${countModels(one.models)})`,
      );
      const source = `of ${SEED_SOURCE}, whose prices may be wrong: review them${out === undefined ? ` with "spanledger price-book show ${book}"` : ` in ${out}`}`;
      session.out.answer(
        { versions, ...(out === undefined ? {} : { written: out }) },
        [...text, source].join('\n'),
      );
    },
  );
}
