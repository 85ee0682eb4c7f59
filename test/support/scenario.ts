import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { parseModelMap } from '../../src/events/model-map.ts';
import { replayQuarantine } from '../../src/ingest/quarantine/replay-quarantine.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { closeTenant } from '../../src/ledger/closes/close-tenant.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { nameMissing } from '../../src/month/completeness/name-missing.ts';
import type { SettleRequest } from '../../src/push/settle-answer.ts';
import type { UnsettleRequest } from '../../src/push/unsettle-answer.ts';
import { Refusal } from '../../src/refusal.ts';
import { settleMonth } from '../../src/stripe/settle-month.ts';
import { unsettleMonth } from '../../src/stripe/unsettle-month.ts';
import { textRows } from './database.ts';
import type { TenantChange } from './ledger.ts';
import { importBook, makeTenant, receive, sharedBook } from './ledger.ts';
import type { AllocationStep } from './scenario-allocation.ts';
import { takeAllocation } from './scenario-allocation.ts';
import type { BudgetStep } from './scenario-budget.ts';
import { takeBudget } from './scenario-budget.ts';
import { isAiSdkCall, textOfAiSdkCall } from './scenario-client.ts';
import type { CorrectionStep } from './scenario-correction.ts';
import { takeCorrection } from './scenario-correction.ts';
import type { MonthRuns, MonthStep } from './scenario-month.ts';
import { openMonthRuns } from './scenario-month.ts';
import type { PushStep } from './scenario-push.ts';
import { takePush } from './scenario-push.ts';
import type { ReportStep } from './scenario-report.ts';
import { readReport } from './scenario-report.ts';

/** One folder of test/scenarios; its README says what each key means. */
export interface Scenario {
  readonly why: string | readonly string[];
  readonly price_books?: readonly unknown[];
  readonly tenants?: Readonly<Record<string, TenantKeys>>;
  readonly defaults?: JsonObject;
  /** What deployments are, as in the file that SPANLEDGER_MODEL_MAP names. */
  readonly models?: JsonObject;
  readonly steps: readonly Step[];
}

export interface Expected {
  readonly answers?: readonly unknown[];
  readonly entries?: readonly JsonObject[];
  readonly structure?: readonly JsonObject[];
  readonly quarantine?: readonly JsonObject[];
  readonly receipts?: readonly JsonObject[];
  readonly periods?: readonly JsonObject[];
  readonly lines?: readonly JsonObject[];
  readonly not_due?: readonly JsonObject[];
  readonly layers?: readonly JsonObject[];
  readonly tenants?: readonly JsonObject[];
  readonly pushes?: readonly JsonObject[];
  readonly runs?: readonly JsonObject[];
  /** What the laws say at the end; every one holds, whether it is written or not. */
  readonly verify?: 'holds';
}

type JsonObject = Readonly<Record<string, unknown>>;

type Step =
  | { readonly receive: readonly unknown[]; readonly at?: string }
  | { readonly close: string; readonly tenant?: string; readonly at: string }
  | { readonly leave: string; readonly on: string; readonly at?: string }
  | { readonly import_price_book: unknown; readonly at?: string }
  | { readonly replay: 'all'; readonly at: string }
  | PushStep
  | MonthStep
  | { readonly settle: Omit<SettleRequest, 'actor'>; readonly at: string }
  | { readonly unsettle: Omit<UnsettleRequest, 'actor' | 'identifier'>; readonly at: string }
  | { readonly missing: string; readonly at: string }
  | ReportStep
  | CorrectionStep
  | AllocationStep
  | BudgetStep
  | { readonly set_tenant: TenantKeys & { readonly tenant_id: string }; readonly at?: string };

interface TenantKeys {
  readonly mode?: 'shadow' | 'live';
  readonly time_zone?: string;
  readonly anchor_day?: number;
  readonly price_book?: string;
  readonly price_book_from?: string;
  readonly stripe_customer?: string;
}

/** When a step that says nothing else happens: after most events, before any period's end. */
const DEFAULT_AT = '2026-10-20T12:00:00Z';

export function readJson<Shape>(folder: string, file: string): Shape {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Shape;
}

/** Plays a scenario; returns the answer of each step that is not a receive. */
export async function play(
  database: Database,
  folder: string,
  scenario: Scenario,
): Promise<readonly unknown[]> {
  for (const book of scenario.price_books ?? []) await importBook(database, bookOf(book, folder));
  for (const [tenantId, keys] of Object.entries(scenario.tenants ?? {})) {
    await makeTenant(database, tenantId, changeOf(keys));
  }
  const answers: unknown[] = [];
  const runs = openMonthRuns(database);
  try {
    for (const step of scenario.steps) {
      const answer = await answerOf(() => take(database, step, { folder, scenario, runs }));
      if ('receive' in step && answer !== undefined) throw new Error(JSON.stringify(answer));
      if (!('receive' in step)) answers.push(answer);
      await foldAll(database, () => parseInstant(step.at ?? DEFAULT_AT));
    }
  } finally {
    await runs.close();
  }
  return answers;
}

async function answerOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refused: error.kind, message: error.message, remedy: remedyText(error.remedy) };
  }
}

function readingOf({ models }: Scenario) {
  return models === undefined ? {} : { models: parseModelMap(JSON.stringify(models), 'models') };
}

interface Playing {
  readonly folder: string;
  readonly scenario: Scenario;
  readonly runs: MonthRuns;
}

async function take(
  database: Database,
  step: Step,
  { folder, scenario, runs }: Playing,
): Promise<unknown> {
  const at = step.at ?? DEFAULT_AT;
  const clock = () => parseInstant(at);
  if ('receive' in step) {
    const defaults = scenario.defaults ?? {};
    const bodies = await Promise.all(
      step.receive.map((body) => {
        const filled = fill(body, defaults);
        return isAiSdkCall(filled) ? textOfAiSdkCall(filled) : textOfBody(body, folder, defaults);
      }),
    );
    await receive(database, bodies, at, readingOf(scenario));
    return undefined;
  }
  if ('close' in step) {
    const answers = await closePeriods(
      { database, clock },
      {
        month: step.close,
        tenant_id: step.tenant ?? null,
      },
    );
    return answers.filter((answer) => answer.tenant_id !== 'unattributed');
  }
  if ('leave' in step) {
    const request = { tenant_id: step.leave, at: parseInstant(step.on) };
    return (await closeTenant({ database, clock }, request)).periods;
  }
  if ('import_price_book' in step) {
    return importBook(database, bookOf(step.import_price_book, folder), at);
  }
  if (
    'correct' in step ||
    'accept' in step ||
    'rerate' in step ||
    'adjust' in step ||
    'reattribute' in step
  ) {
    return takeCorrection(database, clock, step);
  }
  if ('allocate' in step || 'reverse_allocation' in step) {
    return takeAllocation(database, clock, step);
  }
  if (
    'set_budget' in step ||
    'check' in step ||
    'reserve' in step ||
    'release' in step ||
    'take_ended_holds' in step ||
    'budgets' in step
  ) {
    return takeBudget({ database, clock, reading: readingOf(scenario) }, step);
  }
  if ('push' in step) return takePush(database, step);
  if ('run_month' in step) return runs.take(step);
  if ('settle' in step) {
    return settleMonth({ database, clock }, { ...step.settle, actor: 'ann' });
  }
  if ('unsettle' in step) {
    const [settled] = await textRows(
      database,
      "select identifier from push_intents where destination = 'settled' order by sequence",
    );
    const request = { ...step.unsettle, identifier: settled?.['identifier'] ?? '', actor: 'ann' };
    return unsettleMonth({ database, clock }, request);
  }
  if ('missing' in step) {
    const parts = { database, clock: () => parseInstant(step.at) };
    return nameMissing(parts, { month: step.missing, tenant_id: null });
  }
  if ('report_usage' in step || 'report_counts' in step) {
    return readReport(database, clock, step);
  }
  if ('replay' in step) {
    const parts = { database, clock, reading: { litellmKey: null } };
    return replayQuarantine(parts, { quarantine_ids: [] });
  }
  const { tenant_id, ...keys } = step.set_tenant;
  await makeTenant(database, tenant_id, { ...changeOf(keys), created: at });
  return 'set';
}

function bookOf(book: unknown, folder: string): unknown {
  if (typeof book !== 'string') return book;
  return book.startsWith('@') ? readJson(folder, book.slice(1)) : sharedBook(book);
}

function changeOf(keys: TenantKeys): TenantChange {
  return {
    ...(keys.mode === undefined ? {} : { mode: keys.mode }),
    ...(keys.time_zone === undefined ? {} : { timeZone: keys.time_zone }),
    ...(keys.anchor_day === undefined ? {} : { anchorDay: keys.anchor_day }),
    ...(keys.price_book === undefined ? {} : { priceBook: keys.price_book }),
    ...(keys.price_book_from === undefined
      ? {}
      : { priceBookFrom: parseInstant(keys.price_book_from) }),
    ...(keys.stripe_customer === undefined ? {} : { stripeCustomer: keys.stripe_customer }),
  };
}

/** One message body: a file, raw text, something generated, a pack, or an event of its own. */
export function textOfBody(body: unknown, folder: string, defaults: JsonObject): string {
  if (typeof body === 'string') {
    return body.startsWith('@') ? readFileSync(join(folder, body.slice(1)), 'utf8') : body;
  }
  if (!isObject(body)) return JSON.stringify(body);
  if ('generate' in body) return generate(body);
  if ('events' in body && ('pack' in body || Object.keys(body).length === 1)) {
    const events = (body['events'] as readonly unknown[]).map((event) => fill(event, defaults));
    return packOf(body['pack'], events);
  }
  return JSON.stringify(fill(body, defaults));
}

function fill(event: unknown, defaults: JsonObject): unknown {
  return isObject(event) ? { ...defaults, ...event } : event;
}

function packOf(pack: unknown, events: readonly unknown[]): string {
  const text = JSON.stringify(events);
  switch (pack) {
    case 'gzip':
      return JSON.stringify({ encoding: 'gzip', events: gzipSync(text).toString('base64') });
    case 'zstd':
      return JSON.stringify({
        encoding: 'zstd',
        events: zstdCompressSync(text).toString('base64'),
      });
    default:
      return JSON.stringify({ events });
  }
}

/** Bodies that are too large or too odd to be kept as files. */
function generate(body: JsonObject): string {
  const size = Number(body['bytes'] ?? body['depth'] ?? 0);
  switch (body['generate']) {
    case 'garbage':
      return randomBytes(size / 2).toString('hex');
    case 'nested-arrays':
      return '['.repeat(size) + ']'.repeat(size);
    case 'nested-objects':
      return `{"event_id":"deep","usage":${'{"a":'.repeat(size)}1${'}'.repeat(size)}}`;
    case 'nested-in-envelope':
      return JSON.stringify({ Type: 'Notification', Message: '['.repeat(size) + ']'.repeat(size) });
    case 'bomb': {
      const bytes = Buffer.alloc(size, ' ');
      const folded = body['pack'] === 'zstd' ? zstdCompressSync(bytes) : gzipSync(bytes);
      return JSON.stringify({
        encoding: body['pack'] ?? 'gzip',
        events: folded.toString('base64'),
      });
    }
    case 'large-event':
      return JSON.stringify({ status: 'ok', tags: { note: 'x'.repeat(size) } });
    default:
      throw new Error(`nothing generates ${JSON.stringify(body['generate'])}`);
  }
}

/** Returns what the database holds after a scenario, in the shapes of expected.json. */
export async function observe(database: Database) {
  return {
    entries: await textRows(
      database,
      `select * from audit.entries
       order by tenant_id, event_id, coalesce(member_id, ''), length(entry_id), entry_id`,
    ),
    structure: await textRows(
      database,
      'select * from structure_spans order by tenant_id, source, event_id',
    ),
    quarantine: await textRows(database, 'select * from audit.quarantine order by quarantine_id'),
    receipts: await textRows(
      database,
      `select source, sum(received) as received, sum(posted) as posted, sum(duplicates) as duplicates,
         sum(conflicts) as conflicts, sum(quarantined) as quarantined, sum(empty) as empty
       from receipts group by source order by source collate "C"`,
    ),
    periods: await textRows(
      database,
      `select * from audit.periods where tenant_id <> 'unattributed' or entries > 0
       order by tenant_id, period_start`,
    ),
    lines: await textRows(
      database,
      `select c.tenant_id, c.period_start, line.*
       from closes c cross join lateral rows from (
         jsonb_to_recordset(c.manifest::jsonb -> 'lines') as (
           model text, service_tier text, meter text, late boolean, quantity text, rate text, exact text, amount text)
       ) with ordinality as line
       where c.tenant_id <> 'unattributed' order by c.tenant_id, c.period_start, line.ordinality`,
    ),
    not_due: await textRows(
      database,
      `select c.tenant_id, c.period_start, of.*
       from closes c cross join lateral jsonb_to_recordset(c.manifest::jsonb -> 'not_due') as of(
         currency text, exact text, total text)
       where c.tenant_id <> 'unattributed' order by c.tenant_id, c.period_start, of.currency`,
    ),
    layers: await textRows(
      database,
      `select c.tenant_id, c.period_start, line.*
       from closes c cross join lateral rows from (
         jsonb_to_recordset(c.manifest::jsonb -> 'layers' -> 'lines') as (layer text, tokens text, exact text)
       ) with ordinality as line
       where c.tenant_id <> 'unattributed' order by c.tenant_id, c.period_start, line.ordinality`,
    ),
    tenants: await textRows(
      database,
      `select tenant_id, mode, time_zone, anchor_day, stripe_customer from tenants
       where tenant_id <> 'unattributed' order by tenant_id`,
    ),
    pushes: await textRows(
      database,
      `select p.* from audit.pushes p join push_intents i using (identifier)
       order by p.tenant_id, p.period_start, i.sequence`,
    ),
  };
}

/**
 * Returns the rows restricted to the keys that the expectation names, so that both sides compare
 * alike.
 */
export function restrict(
  rows: readonly JsonObject[],
  expected: readonly JsonObject[],
): readonly JsonObject[] {
  return rows.map((row, index) => {
    const keys = Object.keys(expected[index] ?? expected[0] ?? row);
    return Object.fromEntries(keys.map((key) => [key, row[key] ?? null]));
  });
}

/** Returns expected values as text, as the database gives its own: 1000 → "1000", Z → +00:00. */
export function asText(row: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, value === null ? null : textOf(value)]),
  );
}

function textOf(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)Z$/, '$1+00:00');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
