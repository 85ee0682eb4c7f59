import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import type { AgentRun } from '../../../src/reports/runs/agent-run.ts';
import { analyzeRun, type SpansOfRun } from '../../../src/reports/runs/agent-run.ts';
import type { RunFigures } from '../../../src/reports/runs/run-figures.ts';
import { figuresOf } from '../../../src/reports/runs/run-figures.ts';
import type { RunQuestion } from '../../../src/reports/runs/run-store.ts';
import { readCallsOutsideRuns, readRun } from '../../../src/reports/runs/run-store.ts';
import type { RunGroup } from '../../../src/reports/runs/runs-answer.ts';
import { readUsageReport } from '../../../src/reports/usage-report-store.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { eachRun } from '../../support/each-run.ts';
import { hasSharedData, LANGFUSE_TRACES, langfuseEvents } from '../../support/langfuse-run.ts';
import {
  importBook,
  importBooks,
  nativeEvent,
  receive,
  receiveEvents,
} from '../../support/ledger.ts';

const EVERYTHING: RunQuestion = { tenantId: null, from: null, to: null };

async function read(database: Database, runId: string, tenantId: string | null = null) {
  return (await readRun(database, { runId, tenantId })).map((run) => analyzeRun(run));
}

const rootSum = (run: AgentRun, of: 'cost' | 'charge' | 'inputTokens' | 'outputTokens') =>
  run.nodes.filter((node) => node.parent === null).reduce((sum, { below }) => sum + below[of], 0n);

/** The tree as lines: depth, operation and input. */
const outline = (run: AgentRun) =>
  run.nodes.map(
    ({ depth, step, below }) =>
      `${'- '.repeat(depth)}${step.facts.operation}${step.kind === 'call' ? ` ${below.inputTokens}` : ''}`,
  );

/** One price for every model that the traces name. */
const FRAMEWORKS_COST = {
  book: 'providers',
  kind: 'cost',
  currency: 'USD',
  effective_from: '2025-01-01T00:00:00Z',
  models: [
    'gemini-2.0-flash',
    'gemini-2.5-flash',
    'gpt-4.1-2025-04-14',
    'gpt-4o-mini-2024-07-18',
  ].map((model) => ({ model, per_million: { input: '0.15', output: '0.60' } })),
};

describe('agent traces of frameworks', () => {
  it('are there, of which each is read below', ({ skip }) => {
    skip(!hasSharedData, 'the traces lie in the shared data, which is absent');
    expect(LANGFUSE_TRACES.length).toBeGreaterThan(0);
  });

  it.each(LANGFUSE_TRACES)('%s: the tree sums to its model calls', async (name) => {
    const database = await freshDatabase();
    await importBook(database, FRAMEWORKS_COST);
    const events = langfuseEvents(name, 'acme');
    await receiveEvents(database, events, '2026-01-10T12:00:00Z');
    const [run] = await read(database, name);
    if (run === undefined) throw new Error('no run');
    expect(run.nodes).toHaveLength(events.length);
    expect(run.nodes.filter((node) => node.place === 'orphan')).toEqual([]);
    expect(run.nodes.filter((node) => node.parent === null)).toHaveLength(1);
    const [sums] = await textRows(
      database,
      `select count(*) as calls, sum(cost) as cost,
         sum(uncached_input_tokens + cache_read_tokens + cache_write_tokens) as input,
         sum(output_tokens) as output from entries`,
    );
    expect({
      calls: String(run.calls.length),
      cost: String(rootSum(run, 'cost')),
      input: String(rootSum(run, 'inputTokens')),
      output: String(rootSum(run, 'outputTokens')),
    }).toEqual(sums);
    expect(rootSum(run, 'cost') > 0n).toBe(true);
    expect(run.succeeded).toBe(true);
  });

  it('the AI SDK, read as OTLP: a run of two traces, a tool loop and a refused call', async () => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const body = readFileSync(
      new URL('../../fixtures/otlp/ai-sdk-7.0.173_otel-1.0.173.traces.json', import.meta.url),
      'utf8',
    );
    await receive(database, [body], '2026-11-30T12:00:00Z');
    const [named] = await textRows(database, 'select distinct agent_run_id from entries');
    const [run] = await read(database, named?.['agent_run_id'] ?? '');
    if (run === undefined) throw new Error('no run');
    expect(outline(run)).toEqual([
      'invoke_agent',
      '- agent_step',
      '- - chat 97',
      '- - execute_tool',
      '- agent_step',
      '- - chat 170',
      'invoke_agent',
      '- agent_step',
      '- - chat 0',
    ]);
    // The agent itself says 267 = 97 + 170, too: structure, not counted again (R1).
    expect(rootSum(run, 'inputTokens')).toBe(267n);
    const [sums] = await textRows(database, 'select sum(cost) as cost from entries');
    expect(String(rootSum(run, 'cost'))).toBe(sums?.['cost']);
    // Its last agent ended with an error.
    expect(run.succeeded).toBe(false);
  });
});

/** A run of acme's in October: an agent, a failed attempt, its retry, and a batched call with birch. */
const RUN = { agent_run_id: 'run-1', trace_id: 'trace-1' };
const SPANS = [
  nativeEvent({
    ...RUN,
    event_id: 'agent',
    operation: 'invoke_agent',
    span_id: 'a',
    started_at: '2026-10-15T11:59:00Z',
  }),
  nativeEvent({ ...RUN, event_id: 'try-1', status: 'error', span_id: 'b', parent_span_id: 'a' }),
  nativeEvent({
    ...RUN,
    event_id: 'try-2',
    attempt: 2,
    span_id: 'c',
    parent_span_id: 'a',
    occurred_at: '2026-10-15T12:00:01Z',
  }),
  nativeEvent({
    ...RUN,
    event_id: 'batch',
    span_id: 'd',
    parent_span_id: 'a',
    occurred_at: '2026-10-15T12:00:02Z',
    members: [
      { member_id: 'm1', tenant_id: 'acme' },
      { member_id: 'm2', tenant_id: 'birch' },
    ],
  }),
  nativeEvent({ event_id: 'alone', feature: 'search' }),
  nativeEvent({ event_id: 'alone-failed', status: 'error' }),
  nativeEvent({ event_id: 'in-trace', trace_id: 'trace-9', occurred_at: '2026-10-16T12:00:00Z' }),
];

async function ledgerWith(events: readonly object[]) {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, events);
  return database;
}

describe('a run in the ledger', () => {
  it('is one for each tenant that has a part in it, and shows only that part', async () => {
    const database = await ledgerWith(SPANS);
    const runs = await read(database, 'run-1');
    expect(runs.map(({ tenantId, nodes }) => [tenantId, nodes.length])).toEqual([
      ['acme', 4],
      ['birch', 1],
    ]);
    // The agent's span is acme's, so birch's step has a parent that birch knows nothing of.
    expect(runs[1]?.nodes[0]?.place).toBe('orphan');
    expect((await read(database, 'run-1', 'birch')).map(({ tenantId }) => tenantId)).toEqual([
      'birch',
    ]);
  });

  it('is asked for by its trace where its calls name no run, and else refused with its name', async () => {
    const database = await ledgerWith(SPANS);
    expect((await read(database, 'trace-9'))[0]?.calls).toHaveLength(1);
    await expect(read(database, 'trace-1')).rejects.toMatchObject({
      remedy: [expect.stringContaining('"run-1"')],
    });
    await expect(read(database, 'nothing')).rejects.toMatchObject({ kind: 'not_found' });
  });

  it('shows corrections as they stand, and a moved call in its new run', async () => {
    const database = await ledgerWith(SPANS);
    const [entry] = await textRows(
      database,
      "select entry_id from entries where event_id = 'try-2'",
    );
    await postCorrections(database, () => parseInstant('2026-10-20T13:00:00Z'), [
      {
        entryId: BigInt(entry?.['entry_id'] ?? -1),
        change: { agentRunId: 'run-2' },
        note: { reason: 'a test', actor: 'ada' },
      },
    ]);
    const [old] = await read(database, 'run-1', 'acme');
    const [moved] = await read(database, 'run-2');
    const left = old?.calls.find(({ facts }) => facts.eventId === 'try-2');
    expect({ stands: left?.stands, cost: left?.sum.cost }).toEqual({ stands: false, cost: 0n });
    expect(moved?.calls.map(({ stands, entries }) => [stands, entries.length])).toEqual([
      [true, 1],
    ]);
  });
});

function eventsOf({ entries, spans }: SpansOfRun): readonly string[] {
  return [...entries, ...spans].map(({ eventId }) => eventId);
}

async function figures(database: Database, by: RunGroup, question: Partial<RunQuestion> = {}) {
  const asked = { ...EVERYTHING, ...question };
  const rows: RunFigures[] = [...(await readCallsOutsideRuns(database, asked, by))];
  await eachRun(database, asked, (run) => rows.push(...figuresOf(analyzeRun(run), by)));
  return rows;
}

describe('the runs of a ledger', () => {
  it('sum to what usage by tenant and by feature says, calls outside runs included', async () => {
    const database = await ledgerWith(SPANS);
    await foldAll(database, systemClock);
    for (const by of ['tenant', 'feature'] as const) {
      const usage = await readUsageReport(database, { ...EVERYTHING, by: [by] });
      const rows = Map.groupBy(await figures(database, by), ({ name }) => name);
      const sums = [...rows].map(([name, own]) => ({
        [by]: name,
        chargePico: own.reduce((sum, { charge }) => sum + charge, 0n),
        costPico: own.reduce((sum, { cost }) => sum + cost, 0n),
      }));
      const expected = usage.map((row) => ({
        [by]: row[by],
        chargePico: row.chargePico,
        costPico: row.costPico,
      }));
      expect(sums).toHaveLength(expected.length);
      expect(sums).toEqual(expect.arrayContaining(expected));
    }
  });

  it('are each found once, with what failed in them and outside of them', async () => {
    const database = await ledgerWith(SPANS);
    const rows = await figures(database, 'run', { tenantId: 'acme' });
    expect(
      rows.map(({ name, runs, calls, failed, wastedCost }) => [
        name,
        runs,
        calls,
        failed,
        wastedCost > 0n,
      ]),
    ).toEqual([
      [null, 0, 2, 1, true],
      ['run-1', 1, 3, 1, true],
      ['trace-9', 1, 1, 0, false],
    ]);
  });

  it('are asked for by whole UTC days', async () => {
    const database = await ledgerWith(SPANS);
    const day = {
      from: parseInstant('2026-10-16T00:00:00Z'),
      to: parseInstant('2026-10-17T00:00:00Z'),
    };
    expect((await figures(database, 'run', day)).map(({ name }) => name)).toEqual(['trace-9']);
  });

  it('are asked for as of an instant: what came later, corrections and all, is not in them', async () => {
    // given a run of which a call and its span were recorded on the 16th, and the rest on the 20th
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const inRun = { agent_run_id: 'run-1', response_id: null };
    const first = nativeEvent({ ...inRun, event_id: 'first' });
    const span = nativeEvent({ ...inRun, event_id: 'span', operation: 'invoke_agent' });
    await receiveEvents(database, [first, span], '2026-10-16T00:00:00Z');
    const second = nativeEvent({ ...inRun, event_id: 'second' });
    const alone = nativeEvent({ event_id: 'alone', response_id: null });
    await receiveEvents(database, [second, alone], '2026-10-20T00:00:00Z');

    // then the 16th knows one call, and the day before no run
    const asOf = (day: string) => ({ asOf: parseInstant(`2026-10-${day}T00:00:00Z`) });
    const calls = async (known: Partial<RunQuestion>) =>
      (await figures(database, 'run', known)).map((row) => [row.name, row.calls]);
    expect(await calls({})).toEqual([
      [null, 1],
      ['run-1', 2],
    ]);
    expect(await calls(asOf('16'))).toEqual([['run-1', 1]]);
    expect(await calls(asOf('15'))).toEqual([]);
    const run = { runId: 'run-1', tenantId: null };
    expect((await readRun(database, { ...run, ...asOf('17') })).map(eventsOf)).toEqual([
      ['first', 'span'],
    ]);
    await expect(readRun(database, { ...run, ...asOf('15') })).rejects.toThrow(
      'there was at 2026-10-15T00:00:00.000Z no run "run-1"',
    );
  });

  it('come one after the other, also when there are more than one fetch brings', async () => {
    const events = Array.from({ length: 6000 }, (_, n) =>
      nativeEvent({ event_id: `evt-${n}`, agent_run_id: `run-${n % 1500}`, response_id: null }),
    );
    const database = await ledgerWith(events);
    const seen: string[] = [];
    await eachRun(database, EVERYTHING, (run) => seen.push(`${run.runId} ${run.entries.length}`));
    expect(new Set(seen)).toEqual(new Set(Array.from({ length: 1500 }, (_, n) => `run-${n} 4`)));
    expect(seen).toHaveLength(1500);
  });
});
