import { readFile } from 'node:fs/promises';
import type { Database } from '../../database/database.ts';
import { isDistributed } from '../../database/distribute.ts';
import { MIGRATIONS } from '../../database/migrate.ts';
import { readOpenNodes } from '../../database/nodes-wall.ts';
import { dumpRoles, dumpSchema, readIntruders } from '../../database/schema-store.ts';
import { readSetBack } from '../../database/sequence-store.ts';
import type { LawReport } from './law.ts';
import { VIOLATIONS_NAMED } from './law.ts';

/**
 * Checks law 12: columns, constraints, triggers, views, policies and functions are what the
 * migrations make, and rights what the roles are to have. The other laws ask the database, and
 * would believe a function that was replaced. Of what an owner adds, only what may act upon our
 * tables is named; an index, a view or a schema of one's own is nobody's business.
 */
export async function checkSchema(database: Database): Promise<LawReport> {
  const law = { law: 12, name: 'the rules of the database are those of the migrations' };
  const written = await keptAs('schema.sql');
  const writtenOfRoles = await keptAs('roles-schema.sql');
  const schema = compare(written, await dumpSchema(database), acts);
  const roles = await dumpRoles(database);
  const distributed = (await isDistributed(database)) ? await keptAs('citus.sql') : null;
  const rights = roles === null ? NOTHING : compare(writtenOfRoles, roles, () => true);
  const violations = [
    ...[...schema.violations, ...rights.violations].filter(
      (violation) => distributed === null || !isOfDistribution(violation, { schema, distributed }),
    ),
    ...(await readIntruders(database, [written, writtenOfRoles].flatMap(relationsIn))),
    ...(await readSetBack(database)),
    ...(await readOpenNodes(database)),
  ];
  const checked = schema.checked + rights.checked;
  return { ...law, checked, violations: violations.slice(0, VIOLATIONS_NAMED) };
}

interface Compared extends Pick<LawReport, 'checked' | 'violations'> {
  /** What is there, by what it defines. */
  readonly live: ReadonlyMap<string, string>;
}

const NOTHING: Compared = { checked: 0, violations: [], live: new Map() };

/**
 * What distributing changes, and nobody else may: triggers and the key that shards cannot have, what a tenant is shown, and
 * the look-ups, each of which has to be as it stands in the file that makes them.
 */
function isOfDistribution(
  violation: string,
  { schema, distributed }: { readonly schema: Compared; readonly distributed: string },
): boolean {
  if (DISTRIBUTED.has(violation)) return true;
  const name = /^(function .+) was changed$/.exec(violation)?.[1];
  const body = /AS \$function\$(.*)\$function\$/s.exec(schema.live.get(name ?? '') ?? '')?.[1];
  return body !== undefined && distributed.includes(`as $$${body}$$`);
}

const DISTRIBUTED: ReadonlySet<string> = new Set([
  'trigger entries_are_append_only of entries is gone',
  'trigger structure_spans_are_append_only of structure_spans is gone',
  'trigger second_reports_are_append_only of second_reports is gone',
  'trigger unnamed_spans_are_append_only of unnamed_spans is gone',
  'index entries_by_id of entries was changed',
  'function public.own_entries() was added',
  'function public.own_runs() was added',
  'function public.own_spans() was added',
  'grant on function public.own_entries() to spanledger_tenant was added',
  'grant on function public.own_runs() to spanledger_tenant was added',
  'grant on function public.own_spans() to spanledger_tenant was added',
  'grant on public.entries to spanledger_tenant is gone',
  'grant on public.run_usage to spanledger_tenant is gone',
  'grant on public.structure_spans to spanledger_tenant is gone',
  ...[
    'tenant.entries',
    'wall.charge_shares',
    'wall.entries',
    'wall.run_rollups',
    'wall.structure_spans',
  ].map((view) => `view ${view} was changed`),
]);

function keptAs(file: string): Promise<string> {
  return readFile(`${MIGRATIONS}${file}`, 'utf8');
}

/** The definitions in the files of the package; every run of a month reads them, and they stay the same. */
const known = new Map<string, ReadonlyMap<string, string>>();

function dueIn(written: string): ReadonlyMap<string, string> {
  const due = known.get(written) ?? definitionsIn(written);
  known.set(written, due);
  return due;
}

/** Names what differs between two schemas' texts, and of what was added that which matters. */
function compare(written: string, dumped: string, matters: (name: string) => boolean): Compared {
  const due = dueIn(written);
  // Nearly always they are the same, and reading a schema takes longer than comparing two.
  if (written === dumped) return { checked: due.size, violations: [], live: due };
  const live = definitionsIn(dumped);
  const agree = serverOf(written) === serverOf(dumped) ? isSame : isSameView;
  const violations = [
    ...[...due].flatMap(([name, text]) => {
      const found = live.get(name);
      if (found === undefined) return [`${name} is gone`];
      return agree(found, text) ? [] : [`${name} was changed`];
    }),
    ...[...live.keys()]
      .filter((name) => !due.has(name) && matters(name))
      .map((name) => `${name} was added`),
  ];
  return { checked: live.size, violations, live };
}

/** Returns the version of Postgres that wrote a schema's text. */
function serverOf(schema: string): string | undefined {
  return /^-- As Postgres (\d+) writes it\.$/m.exec(schema)?.[1];
}

function isSame(one: string, other: string): boolean {
  return one === other;
}

/** Versions of Postgres differ in where a view's columns name their table, and in nothing else that stands here. */
function isSameView(one: string, other: string): boolean {
  const [bareOne, bareOther] = [one, other].map((text) =>
    text.replace(/\b[a-z_]\w*\.(?=[a-z_])/g, ''),
  );
  return one === other || (one.startsWith('view ') && bareOne === bareOther);
}

/** A table, a view or an index of one's own changes nothing that is ours. */
function acts(name: string): boolean {
  return /^(?:trigger|rule|constraint|column|function) /.test(name);
}

/** Returns every definition of a schema's text, by what it defines. */
function definitionsIn(schema: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const block of blocksOf(schema)) {
    const [head = ''] = block.split('\n', 1);
    const table = /^(?:partitioned )?table (\S+)/.exec(head)?.[1];
    if (table !== undefined) readTable(table, block, found);
    else if (/^(?:materialized )?view /.test(head)) found.set(`view ${head.split(' ')[1]}`, block);
    else if (head.startsWith('grant '))
      found.set(`grant ${/ (on .+ to \w+);/.exec(head)?.[1]}`, block);
    else if (head.startsWith('CREATE RULE')) found.set(`rule ${head.split(' ')[2]}`, block);
    else if (head.startsWith('CREATE OR REPLACE')) {
      found.set(`function ${head.replace(/^CREATE OR REPLACE \w+ /, '')}`, block);
    }
  }
  return found;
}

/** Returns the names of the tables and views that a schema's text defines. */
function relationsIn(schema: string): readonly string[] {
  return blocksOf(schema).flatMap(
    (block) => /^(?:(?:partitioned )?table|(?:materialized )?view) (\S+)/.exec(block)?.[1] ?? [],
  );
}

const BEGINS =
  /^(?:table|partitioned table|view|materialized view|schema|policy|grant|CREATE OR REPLACE|CREATE RULE) ?/;

function blocksOf(schema: string): readonly string[] {
  const blocks: string[][] = [];
  let isBegin = true;
  for (const line of schema.split('\n')) {
    if (isBegin && BEGINS.test(line)) blocks.push([]);
    blocks.at(-1)?.push(line);
    isBegin = line === '';
  }
  return blocks.map((lines) => lines.join('\n').trim());
}

function readTable(table: string, block: string, found: Map<string, string>): void {
  for (const item of itemsOf(block)) {
    const text = item.trim().replace(/,$/, '');
    const [first = '', second = ''] = text.split(' ');
    if (item.startsWith('  constraint ')) found.set(`constraint ${second} of ${table}`, text);
    else if (item.startsWith('  ')) found.set(`column ${first} of ${table}`, text);
    else if (text.startsWith('CREATE TRIGGER') || text.startsWith('CREATE CONSTRAINT TRIGGER')) {
      found.set(`trigger ${/TRIGGER (\S+)/.exec(text)?.[1]} of ${table}`, text);
    } else if (text.startsWith('CREATE')) {
      found.set(`index ${/INDEX (\S+)/.exec(text)?.[1]} of ${table}`, text);
    }
  }
}

/** Returns what stands in the block of a table and beside it, each whole: a definition may have several lines. */
function itemsOf(block: string): readonly string[] {
  const items: string[][] = [];
  for (const line of block.split('\n').slice(1)) {
    if (/^(?: {2}\S|CREATE |\);)/.test(line)) items.push([]);
    items.at(-1)?.push(line);
  }
  return items.map((lines) => lines.join('\n'));
}
