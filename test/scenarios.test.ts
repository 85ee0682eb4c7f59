import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkLaws } from '../src/audit/laws/check-laws.ts';
import { systemClock } from '../src/clock.ts';
import { freshDatabase } from './support/database.ts';
import type { Expected, Scenario } from './support/scenario.ts';
import { asText, observe, play, readJson, restrict } from './support/scenario.ts';
import { observeRuns } from './support/scenario-runs.ts';

/** A folder is a test, and its name is the test's; test/scenarios/README.md says what it holds. */
describe.each(['accepted', 'refused'])('%s', (kind) => {
  const root = fileURLToPath(new URL(`./scenarios/${kind}/`, import.meta.url));
  const folders = readdirSync(root).sort();

  it.each(folders)('%s', async (name) => {
    const folder = root + name;
    const scenario = readJson<Scenario>(folder, 'scenario.json');
    const expected = readJson<Expected>(folder, 'expected.json');
    const database = await freshDatabase({ connections: 4 });

    expect(strangers(scenario, SCENARIO_KEYS), 'keys of scenario.json that nobody reads').toEqual(
      [],
    );
    expect(strangers(expected, EXPECTED_KEYS), 'keys of expected.json that nobody reads').toEqual(
      [],
    );
    expect(scenario.why.length, 'a scenario says why').toBeGreaterThan(0);
    const answers = await play(database, folder, scenario);

    expect(answers).toMatchObject(partly(expected.answers ?? []));
    const observed = await observe(database);
    compare('entries', observed.entries, expected.entries);
    compare('structure', observed.structure, expected.structure);
    compare('quarantine', observed.quarantine, expected.quarantine ?? []);
    compare('receipts', observed.receipts, expected.receipts);
    compare('periods', observed.periods, expected.periods);
    compare('lines', observed.lines, expected.lines);
    compare('not_due', observed.not_due, expected.not_due);
    compare('layers', observed.layers, expected.layers);
    compare('tenants', observed.tenants, expected.tenants);
    compare('pushes', observed.pushes, expected.pushes);
    if (expected.runs !== undefined) {
      compare('runs', await observeRuns(database), expected.runs);
    }
    const broken = (
      await checkLaws(
        { database, clock: systemClock, checkStripe: null },
        // No scenario changes the schema.
        { scope: 'full', published: [], withoutSchema: true },
      )
    ).filter((law) => law.violations.length > 0);
    expect(broken.length === 0 ? 'holds' : broken, 'the laws').toEqual(expected.verify ?? 'holds');
  });
});

const SCENARIO_KEYS: readonly string[] = [
  'why',
  'price_books',
  'tenants',
  'defaults',
  'models',
  'steps',
];
const EXPECTED_KEYS: readonly string[] = [
  'answers',
  'entries',
  'structure',
  'quarantine',
  'receipts',
  'periods',
  'lines',
  'not_due',
  'layers',
  'tenants',
  'pushes',
  'runs',
  'verify',
];

/** A key with a slip in it would be an expectation that is never compared. */
function strangers(document: object, known: readonly string[]): readonly string[] {
  return Object.keys(document).filter((key) => !known.includes(key));
}

type Rows = readonly Readonly<Record<string, unknown>>[];

function compare(what: string, observed: Rows, expected: Rows | undefined): void {
  if (expected === undefined) return;
  const wanted = expected.map((row) => partly(asText(row)));
  expect(restrict(observed, expected), what).toEqual(wanted);
}

/** Words for people are matched by what they must contain; everything else exactly. */
const WORDS: ReadonlySet<string> = new Set(['detail', 'message', 'remedy', 'body']);

function partly(value: unknown): object {
  return replaceWords(value) as object;
}

function replaceWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(replaceWords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      WORDS.has(key) && typeof inner === 'string'
        ? expect.stringContaining(inner)
        : replaceWords(inner),
    ]),
  );
}
