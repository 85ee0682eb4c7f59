import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parsePriceBook } from '../rating/price-book-document.ts';
import { importPriceBook, listPriceBooks, showPriceBook } from '../rating/price-book-store.ts';
import { Refusal } from '../refusal.ts';
import { perform } from './command.ts';
import { table } from './output.ts';

export function addPriceBook(program: Command): void {
  const group = program.command('price-book').description('dated prices, charged and paid (R15)');
  addImport(group);
  addList(group);
  addShow(group);
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
      .map((one) => `${one.book} from ${one.effective_from}: ${one.answer} (${one.models} models)`)
      .join('\n');
    session.out.answer(imported.length === 1 ? imported[0] : imported, text);
  });
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new Refusal(
      'usage',
      `cannot read ${file}: ${error.message}`,
      'give the path of a JSON file',
    );
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal('price_book', `${file} is not JSON: ${String(error)}`, 'mend the file');
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
    ]);
    session.out.answer(books, books.length === 0 ? 'no price books yet' : text);
  });
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
