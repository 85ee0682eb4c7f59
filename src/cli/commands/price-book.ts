import type { Command } from 'commander';
import type { Config } from '../../config.ts';
import { readModelMap } from '../../events/read-settings.ts';
import { comparePriceBooks } from '../../rating/books/compare-price-books.ts';
import { nameDefaultBook } from '../../rating/books/default-book.ts';
import { importPriceBooks } from '../../rating/books/import-price-books.ts';
import type {
  BookVersionRow,
  CompareAnswer,
  DefaultBookAnswer,
  ImportedVersion,
  KeptEntries,
  PriceDifference,
  PriceTerms,
  SeedAnswer,
} from '../../rating/books/price-book-answer.ts';
import {
  bookRequest,
  compareRequest,
  defaultBookRequest,
  seedRequest,
} from '../../rating/books/price-book-answer.ts';
import { listPriceBooks, showPriceBook } from '../../rating/books/show-price-books.ts';
import { readRequest } from '../../request.ts';
import { andMore, counted, figureOf } from '../../text/counted.ts';
import { addActor } from '../terminal/actor.ts';
import { readInstant } from '../terminal/arguments.ts';
import { readBookFile } from '../terminal/book-file.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';
import type { DrawTable } from '../terminal/table.ts';
import { words } from '../terminal/words.ts';

export function addPriceBook(program: Command): void {
  const group = program.command('price-book').description('dated prices, charged and paid');
  addImport(group);
  addList(group);
  addShow(group);
  addDefault(group);
  addDiff(group);
  addSeed(group);
}

function addImport(group: Command): void {
  const command = group
    .command('import')
    .argument('<file>', 'a price book as JSON, or an array of them')
    .description('store a book as a new version; the identical one again changes nothing')
    .option('--dry-run', 'say what it would change, and store nothing');
  perform<{ dryRun?: boolean }>(
    addActor(command),
    async (session, { args: [file = ''], options }) => {
      const documents = await readBookFile(file);
      const { dryRun: dry_run = false } = options;
      const versions = await importPriceBooks(session.parts(), { documents, dry_run });
      const lines = versions.flatMap((version) => [
        ...renderImported(version),
        ...renderChanges(version, session.out.table),
      ]);
      const head = dry_run ? ['nothing was stored (--dry-run)'] : [];
      session.out.answer(versions, [...head, ...lines].join('\n'));
    },
  );
}

function renderVersion(version: SeedAnswer['versions'][number]): string {
  const { book, effective_from, answer, models } = version;
  return `${book} from ${timeOf(effective_from)}: ${words(answer)} (${counted(models, 'model')})`;
}

/** Renders what was imported, and what it means for what is there already. */
function renderImported(version: ImportedVersion): readonly string[] {
  const { book, became_default, takes_away: gone, unchanged, of_version_before: before } = version;
  const models = andMore(gone.slice(0, NAMED).map(nameRow), gone.length);
  return [
    renderVersion(version),
    ...(became_default
      ? [`  it is the first charge book, and so the default: tenants without a book pay by ${book}`]
      : []),
    ...(gone.length > 0 ? [`  it takes the price away from ${models}`] : []),
    ...(unchanged === null
      ? []
      : [`  ${entriesOf(unchanged)} keep their prices; ${rerateOf(unchanged)}`]),
    ...(before === null
      ? []
      : [`  ${entriesOf(before)} stay with the version before, which was in force at their time`]),
  ];
}

/** Says what prices entries anew: a re-rating of each month in which they occurred. */
function rerateOf({ months }: KeptEntries): string {
  const [first = '', ...others] = months;
  if (others.length === 0) return `"spanledger rerate ${first}" changes them`;
  const last = others.at(-1);
  const named =
    months.length > MONTHS_NAMED
      ? `each month from ${first} to ${last}`
      : `${months.slice(0, -1).join(', ')} and ${last}`;
  return `"spanledger rerate" of ${named} changes them`;
}

const MONTHS_NAMED = 6;

/** What the version would price otherwise than the one before it. */
function renderChanges({ terms, changes = [] }: ImportedVersion, table: DrawTable) {
  return terms === undefined ? [] : differenceLines({ ...terms, rows: changes }, table);
}

/** The most models that a line names; a book of all providers has hundreds. */
const NAMED = 20;

function nameRow({ provider, model, service_tier: tier }: ImportedVersion['takes_away'][number]) {
  const of = provider === null ? '' : `${provider} `;
  return `${of}${model}${tier === 'standard' ? '' : ` (${tier})`}`;
}

function entriesOf({ entries, from, until }: KeptEntries): string {
  return `${counted(entries, 'entry', 'entries')} from ${timeOf(from)} to ${timeOf(until)}`;
}

function addDefault(group: Command): void {
  const command = group
    .command('default')
    .argument('<book>', 'a charge book')
    .description('name the book that a tenant without one pays by')
    .option('--from <instant>', 'from when it holds, if not from now', readInstant);
  perform<{ from?: string }>(addActor(command), async (session, { args: [book = ''], options }) => {
    const request = readRequest(defaultBookRequest, { book, from: options.from });
    const answer = await nameDefaultBook(session.parts(), request);
    session.out.answer(answer, renderDefault);
  });
}

function renderDefault(answer: DefaultBookAnswer): string {
  const { book, currency, effective_from, before, followed_by: next } = answer;
  const since =
    effective_from === null ? 'from the beginning' : `from ${timeOf(effective_from)} on`;
  const unlike = before === null || before === book ? '' : `, in place of ${before}`;
  const until =
    next === null
      ? ''
      : `, until ${next.book} follows from ${timeOf(next.effective_from)} on, as was named before; to withdraw that, name ${book} with --from ${timeOf(next.effective_from)}, too`;
  return `tenants without a book of their own pay by ${book} (${currency}) ${since}${unlike}${until}; what is posted keeps its price`;
}

function addList(group: Command): void {
  const command = group.command('list').description('every version of every book');
  perform(command, async (session) => {
    const books = await listPriceBooks(session.parts());
    const text = session.out.table(books, [
      { title: 'BOOK', value: (row) => row.book },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'CURRENCY', value: (row) => row.currency },
      { title: 'EFFECTIVE FROM', value: (row) => timeOf(row.effective_from) },
      { title: 'CACHING', value: (row) => words(row.caching), spare: true },
      { title: 'MODELS', value: (row) => figureOf(row.models), figure: true, spare: true },
      { title: 'OTHERWISE', value: renderOtherwise },
      { title: 'DEFAULT', value: (row) => (row.is_default ? 'default' : '') },
    ]);
    session.out.answer(books, books.length === 0 ? 'no price books yet' : text);
  });
}

/** Names the place from which a book without a row for a call takes its prices. */
function renderOtherwise(row: BookVersionRow): string {
  if (row.cost_factor !== null) return `cost × ${row.cost_factor}`;
  if (row.base === null) return '';
  return row.discount === null ? `as ${row.base}` : `${row.base} less ${row.discount}`;
}

function addShow(group: Command): void {
  const command = group
    .command('show')
    .argument('<book>')
    .description('the versions of one book, as imported');
  perform(command, async (session, { args: [book = ''] }) => {
    const versions = await showPriceBook(session.parts(), readRequest(bookRequest, { book }));
    session.out.give(versions, JSON.stringify(versions, null, 2));
  });
}

function addDiff(group: Command): void {
  const command = group
    .command('diff')
    .argument('<a>', 'a book, or one version of it as BOOK@INSTANT')
    .argument('<b>', 'another')
    .description('the rows that two books, or two versions of one, price differently');
  perform(command, async (session, { args: [a = '', b = ''] }) => {
    const given = { before: readVersion(a), after: readVersion(b) };
    const request = readRequest(compareRequest, given);
    const answer = await comparePriceBooks(session.parts(), request);
    session.out.answer(answer, (shown) => renderDifference(shown, session.out.table));
  });
}

/** Reads a book, or one version of it after an @. */
function readVersion(selector: string) {
  const [book = '', instant] = selector.split('@');
  return { book, effective_from: instant === undefined ? null : readInstant(instant) };
}

function renderDifference(answer: CompareAnswer, table: DrawTable): string {
  const lines = differenceLines(answer, table);
  return lines.length === 0 ? 'both have the same prices' : lines.join('\n');
}

function differenceLines(answer: CompareAnswer, table: DrawTable): readonly string[] {
  const { before, after, rows } = answer;
  const changed = TERMS.filter((term) => before[term] !== after[term]).map(
    (term) =>
      `${term.replace('_', ' ')}: ${before[term] ?? 'none'} before, ${after[term] ?? 'none'} after`,
  );
  return rows.length === 0 ? changed : [...changed, rowsText(answer, table)];
}

function rowsText({ before, after, rows }: CompareAnswer, table: DrawTable): string {
  return table(rows, [
    { title: 'PROVIDER', value: (row) => row.provider ?? '' },
    { title: 'MODEL', value: (row) => row.model },
    { title: 'TIER', value: (row) => row.service_tier },
    {
      title: 'ABOVE',
      value: (row) => figureOf(row.above_input_tokens || ''),
      figure: true,
      spare: true,
    },
    { title: 'BEFORE', value: (row) => renderRates(before, pricesBefore(row)) },
    { title: 'AFTER', value: (row) => renderRates(after, pricesAfter(row)) },
  ]);
}

/** What of a book's terms makes other amounts of the same rows. */
const TERMS = ['kind', 'currency', 'caching', 'cost_factor', 'discount'] as const;

interface RowPrices {
  /** It is null where the book does not have the row. */
  readonly rates: Readonly<Record<string, string | undefined>> | null;
  readonly perCall: string | null;
}

function pricesBefore({ before, other_before, per_call_before }: PriceDifference): RowPrices {
  const rates = before === null ? null : { ...before, ...other_before };
  return { rates, perCall: per_call_before };
}

function pricesAfter({ after, other_after, per_call_after }: PriceDifference): RowPrices {
  const rates = after === null ? null : { ...after, ...other_after };
  return { rates, perCall: per_call_after };
}

function renderRates(
  terms: Pick<PriceTerms, 'cost_factor'>,
  { rates, perCall }: RowPrices,
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
      '2025-01-01T00:00:00Z',
    )
    .option('--out <file>', 'write it for review instead of importing it');
  perform<{ book: string; from: string; out?: string }>(
    addActor(command),
    async (session, { options }) => {
      const { book, from, out } = options;
      const request = readRequest(seedRequest, { book, from, deployments: mapped(session.config) });
      // The package holds two megabytes of prices, and no other command needs them.
      const seed = await import('../../rating/books/seed-price-book.ts');
      const answer =
        out === undefined
          ? await seed.seedPriceBook(session.parts(), request)
          : await seed.writePriceBook(request, out);
      session.out.answer(answer, (shown) => renderSeed(shown, book));
    },
  );
}

/** Returns what the operator's file says that deployments are. */
function mapped(config: Config) {
  const rows = [...(readModelMap(config)?.deployments.values() ?? [])].flat();
  return rows.map(({ name, at, model, provider }) => ({ name, provider: provider ?? at, model }));
}

function renderSeed(answer: SeedAnswer, book: string): string {
  const { versions, written, source, deployments_without_price: unpriced } = answer;
  const where = written === null ? ` with "spanledger price-book show ${book}"` : ` in ${written}`;
  const review = `of ${source}, whose prices may be wrong: review them${where}`;
  const missing =
    unpriced.length === 0
      ? []
      : [`no price for what these deployments are: ${unpriced.join(', ')}; their cost is unknown`];
  return [...versions.map(renderVersion), review, ...missing].join('\n');
}
