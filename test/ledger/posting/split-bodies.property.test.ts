import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cases } from '../../support/cases.ts';
import type { TestDatabase } from '../../support/database.ts';
import { freshDatabase, resetTables, textRows } from '../../support/database.ts';
import type { Scenario } from '../../support/scenario.ts';
import { play, readJson, textOfBody } from '../../support/scenario.ts';

/**
 * The bodies of producers that the scenarios hold, of every adapter, as they were written down. Each is taken apart into the
 * spans, records and lines that its producer might have sent alone; then all come in another order, together or apart, and some of
 * them once more. What the customer pays must be what the bodies made as they were.
 */

const root = fileURLToPath(new URL('../../scenarios/accepted/', import.meta.url));

type JsonObject = Readonly<Record<string, unknown>>;

interface Bodies {
  readonly name: string;
  readonly scenario: Scenario;
  /** The parts of all bodies, each a message of its own. */
  readonly parts: readonly string[];
}

/** The lists in which producers send several of a kind, the outermost first. */
const LISTS = [
  'resourceSpans',
  'resource_spans',
  'scopeSpans',
  'scope_spans',
  'spans',
  'resourceLogs',
  'scopeLogs',
  'logRecords',
  'logEvents',
  'batch',
  'events',
];

const scenarios = readdirSync(root).sort().flatMap(bodiesOf);

function bodiesOf(name: string): readonly Bodies[] {
  const scenario = readJson<Scenario>(root + name, 'scenario.json');
  const received = scenario.steps.flatMap((step) =>
    'receive' in step && step.at === undefined ? [step.receive] : [],
  );
  if (received.length < scenario.steps.length) return [];
  const texts = received
    .flat()
    .map((body) => textOfBody(body, root + name, scenario.defaults ?? {}));
  const parts = texts.flatMap(partsOf);
  return parts.every((part) => part.includes('"event_id"')) ? [] : [{ name, scenario, parts }];
}

function partsOf(text: string): readonly string[] {
  const body = parsed(text);
  if (body === undefined) return text.split('\n').filter((line) => line.trim() !== '');
  return apart(body).map((part) => JSON.stringify(part));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function apart(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(apart);
  if (typeof value !== 'object' || value === null) return [value];
  const body = value as JsonObject;
  // What is compressed is no list, and what has an encoding says how all of it is packed.
  const list = LISTS.find((name) => Array.isArray(body[name]) && !('encoding' in body));
  // An event of a span is a part of it.
  if (list === undefined || 'spanId' in body || 'span_id' in body) return [value];
  return apart(body[list]).map((part) => ({ ...body, [list]: [part] }));
}

/** Which part comes at what time, once or twice, and with how many others in one message batch. */
const delivery = fc.record({
  which: fc.nat(),
  order: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 60, maxLength: 60 }),
  repeated: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
  together: fc.integer({ min: 1, max: 3 }),
});

it('whatever a producer sends is charged the same in whichever parts and order it comes, and however often', async () => {
  const database = await freshDatabase({ connections: 4 });
  const whole = new Map<string, unknown>();
  await fc.assert(
    fc.asyncProperty(delivery, async ({ which, order, repeated, together }) => {
      const { name, scenario, parts } = present(scenarios[which % scenarios.length]);
      if (!whole.has(name)) whole.set(name, await chargesOf(database, name, scenario));
      const sent = parts.flatMap((part, index) => (repeated[index] ? [part, part] : [part]));
      const placed = sent.map((part, index) => ({ part, place: order[index % 60] ?? 0 }));
      const shuffled = placed.sort((a, b) => a.place - b.place).map(({ part }) => part);
      const steps = [];
      for (let from = 0; from < shuffled.length; from += together) {
        steps.push({ receive: shuffled.slice(from, from + together) });
      }
      const charges = await chargesOf(database, name, { ...scenario, defaults: {}, steps });
      expect(charges, name).toEqual(whole.get(name));
    }),
    cases(12),
  );
});

function present(bodies: Bodies | undefined): Bodies {
  if (bodies === undefined) throw new Error('no scenario holds a body of a producer');
  return bodies;
}

/** What each tenant pays for each model, and for how many calls. */
async function chargesOf(
  database: TestDatabase,
  name: string,
  scenario: Scenario,
): Promise<unknown> {
  await resetTables(database);
  await play(database, root + name, scenario);
  return textRows(
    database,
    `select tenant_id, requested_model, executed_model, sum(charge) as charge, sum(cost) as cost,
       count(*) filter (where not is_reversal) - count(*) filter (where is_reversal) as calls
     from entries where status = 'ok' group by 1, 2, 3
     having count(*) filter (where not is_reversal) > count(*) filter (where is_reversal)
     order by 1, 2, 3`,
  );
}
