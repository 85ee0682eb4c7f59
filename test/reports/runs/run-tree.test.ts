import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzeRun, type SpansOfRun } from '../../../src/reports/runs/agent-run.ts';
import { figuresOf } from '../../../src/reports/runs/run-figures.ts';
import type { RunEntry, RunSpan } from '../../../src/reports/runs/run-step.ts';
import type { RunNode } from '../../../src/reports/runs/run-tree.ts';
import { cases } from '../../support/cases.ts';
import { call, corrected, runOf, wrapper } from './run-samples.ts';

/** The tree as lines: depth, id and what is special about the place. */
function shape(run: SpansOfRun): readonly string[] {
  return analyzeRun(run).nodes.map(({ depth, step, place }) => {
    const special = place === 'orphan' || place === 'cycle' ? ` (${place})` : '';
    return `${'- '.repeat(depth)}${step.facts.eventId}${special}`;
  });
}

const nodeOf = (run: SpansOfRun, eventId: string): RunNode | undefined =>
  analyzeRun(run).nodes.find(({ step }) => step.facts.eventId === eventId);

describe('a run tree', () => {
  it('hangs each span below its parent, in the order in which they began', () => {
    const agent = wrapper('agent', [0, 9]);
    const tool = wrapper('tool', [3, 4], { operation: 'execute_tool', parentSpanId: 'call-1' });
    const second = call(5, { parentSpanId: 'agent' });
    const first = call(1, { parentSpanId: 'agent' });
    expect(shape(runOf([second, first], [tool, agent]))).toEqual([
      'agent',
      '- call-1',
      '- - tool',
      '- call-5',
    ]);
  });

  it('sums below a step what all calls below it come to, and a wrapper adds nothing (R1)', () => {
    const agent = wrapper('agent', [0, 9]);
    const calls = [1, 5].map((second) => call(second, { parentSpanId: 'agent' }));
    // 2 x 300 p charged, 2 x 200 p paid, 2 x 1,000 input tokens, 2 x 100 output tokens
    expect(nodeOf(runOf(calls, [agent]), 'agent')?.below).toEqual({
      inputTokens: 2000n,
      outputTokens: 200n,
      toolTokens: 0n,
      memoryTokens: 0n,
      charge: 600n,
      notDue: 0n,
      cost: 400n,
      uncosted: 0,
      uncharged: 0,
      calls: 2,
      answers: 2,
    });
  });

  it('keeps a span whose parent is not there as a root, until the parent arrives', () => {
    const child = call(1, { parentSpanId: 'agent' });
    expect(shape(runOf([child]))).toEqual(['call-1 (orphan)']);
    expect(shape(runOf([child], [wrapper('agent', [0, 9])]))).toEqual(['agent', '- call-1']);
  });

  it('cuts a circle of parents at the step that began first', () => {
    const spans = [
      wrapper('c', [3, 9], { parentSpanId: 'b' }),
      wrapper('a', [1, 9], { parentSpanId: 'c' }),
      wrapper('b', [2, 9], { parentSpanId: 'a' }),
    ];
    const tail = call(0, { parentSpanId: 'c' });
    expect(shape(runOf([tail], spans))).toEqual(['a (cycle)', '- b', '- - c', '- - - call-0']);
  });

  it('cuts a span that is its own parent', () => {
    const own = call(1, { parentSpanId: 'call-1' });
    expect(shape(runOf([own]))).toEqual(['call-1 (cycle)']);
  });

  it('looks for a parent in the same trace only: two traces of one run are two trees', () => {
    const spans = [
      wrapper('agent', [0, 9]),
      wrapper('agent', [0, 8], { traceId: 'trace-2', eventId: 'other' }),
    ];
    const child = call(1, { parentSpanId: 'agent', traceId: 'trace-2' });
    expect(shape(runOf([child], spans))).toEqual(['agent', 'other', '- call-1']);
  });

  it('takes spans without ids as roots', () => {
    const bare = [1, 2].map((second) =>
      call(second, { spanId: null, traceId: null, eventId: `bare-${second}` }),
    );
    expect(shape(runOf(bare))).toEqual(['bare-1', 'bare-2']);
  });

  it('shows each member of a batched call as a step, children below the first of them', () => {
    const members = ['a', 'b'].map((memberId) =>
      call(1, { memberId, entryId: BigInt(memberId.charCodeAt(0)) }),
    );
    const child = wrapper('tool', [2, 3], { parentSpanId: 'call-1' });
    expect(shape(runOf(members, [child]))).toEqual(['call-1', '- tool', 'call-1']);
  });

  it('shows of a corrected call what stands, and sums all its revisions', () => {
    const posted = call(1, { toolTokens: 70n });
    const entries = [posted, ...corrected(posted, { cost: 150n, charge: 250n, outputTokens: 50n })];
    const { calls } = analyzeRun(runOf(entries));
    // cost 200 - 200 + 150, charge 300 - 300 + 250, output 100 - 100 + 50
    expect(calls.map(({ sum, stands, facts }) => ({ sum, stands, entry: facts.entryId }))).toEqual([
      {
        sum: {
          inputTokens: 1000n,
          outputTokens: 50n,
          toolTokens: 70n,
          memoryTokens: 0n,
          charge: 250n,
          notDue: 0n,
          cost: 150n,
          uncosted: 0,
          uncharged: 0,
        },
        stands: true,
        entry: 21_001n,
      },
    ]);
  });

  it('keeps a step of nothing where a call was taken back or moved to another run', () => {
    const posted = call(1);
    const [reversal] = corrected(posted);
    const run = analyzeRun(runOf([posted, ...(reversal === undefined ? [] : [reversal])]));
    expect(run.calls.map(({ sum, stands }) => ({ cost: sum.cost, stands }))).toEqual([
      { cost: 0n, stands: false },
    ]);
    expect(figuresOf(run, 'run')[0]?.calls).toBe(0);
  });

  it('is built of a chain of a twenty thousand steps', () => {
    const entries = Array.from({ length: 20_000 }, (_, n) =>
      call(n, { parentSpanId: n === 0 ? null : `call-${n - 1}` }),
    );
    const { nodes } = analyzeRun(runOf(entries));
    expect(nodes[0]?.below.cost).toBe(20_000n * 200n);
    expect(nodes.at(-1)?.depth).toBe(19_999);
  });
});

/** Spans of any shape: parents missing, in circles and doubled; calls corrected, moved or taken back. */
const anyRun: fc.Arbitrary<SpansOfRun> = fc
  .record({
    entries: fc.array(
      fc.record({
        second: fc.nat(60),
        span: fc.option(fc.nat(15)),
        parent: fc.option(fc.nat(20)),
        trace: fc.constantFrom('trace-1', 'trace-2', null),
        status: fc.constantFrom('ok' as const, 'ok' as const, 'error' as const),
        attempt: fc.integer({ min: 1, max: 3 }),
        input: fc.bigInt({ min: 0n, max: 5000n }),
        cost: fc.option(fc.bigInt({ min: 0n, max: 900n })),
        feature: fc.constantFrom('search', 'chat', null),
        member: fc.constantFrom('', '', 'm1', 'm2'),
        fate: fc.constantFrom('stands', 'stands', 'corrected', 'taken back', 'moved in'),
      }),
      { maxLength: 25 },
    ),
    spans: fc.array(
      fc.record({ second: fc.nat(60), span: fc.option(fc.nat(15)), parent: fc.option(fc.nat(20)) }),
      { maxLength: 10 },
    ),
  })
  .map(({ entries, spans }) => runOf(entries.flatMap(entriesOf), spans.map(spanOf)));

interface EntrySpec {
  readonly second: number;
  readonly span: number | null;
  readonly parent: number | null;
  readonly trace: string | null;
  readonly status: 'ok' | 'error';
  readonly attempt: number;
  readonly input: bigint;
  readonly cost: bigint | null;
  readonly feature: string | null;
  readonly member: string;
  readonly fate: string;
}

function entriesOf(spec: EntrySpec, index: number): readonly RunEntry[] {
  const posted = call(spec.second, {
    entryId: BigInt(index + 1),
    // Members of one batch share their event.
    eventId: spec.member === '' ? `event-${index}` : 'batch',
    memberId: spec.member === '' ? '' : `${spec.member}-${index}`,
    spanId: spec.span === null ? null : String(spec.span),
    parentSpanId: spec.parent === null ? null : String(spec.parent),
    traceId: spec.trace,
    status: spec.status,
    attempt: spec.attempt,
    inputTokens: spec.input,
    cost: spec.cost,
    feature: spec.feature,
  });
  const [reversal, replacement] = corrected(posted, { cost: 77n, feature: 'chat' });
  if (reversal === undefined || replacement === undefined) return [];
  if (spec.fate === 'corrected') return [replacement, posted, reversal];
  if (spec.fate === 'taken back') return [posted, reversal];
  return spec.fate === 'moved in' ? [replacement] : [posted];
}

function spanOf(
  spec: { readonly second: number; readonly span: number | null; readonly parent: number | null },
  index: number,
): RunSpan {
  return wrapper(String(spec.span), [spec.second, spec.second + 5], {
    eventId: `span-${index}`,
    spanId: spec.span === null ? null : String(spec.span),
    parentSpanId: spec.parent === null ? null : String(spec.parent),
  });
}

const sumOf = <Item>(items: readonly Item[], of: (item: Item) => bigint | null) =>
  items.reduce((sum, item) => sum + (of(item) ?? 0n), 0n);

describe('of any spans', () => {
  it('every entry and every span stands in the tree exactly once', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const { nodes } = analyzeRun(run);
        const entries = nodes.flatMap(({ step }) => (step.kind === 'call' ? step.entries : []));
        expect(new Set(entries).size).toBe(entries.length);
        expect(new Set(entries)).toEqual(new Set(run.entries));
        const spans = nodes.flatMap(({ step }) => (step.kind === 'wrapper' ? [step.facts] : []));
        expect(spans).toHaveLength(run.spans.length);
        expect(new Set(spans)).toEqual(new Set(run.spans));
      }),
      cases(150),
    );
  });

  it('the roots sum to the entries, in tokens, charge and cost; so do figures by any group', () => {
    fc.assert(
      fc.property(anyRun, (spans) => {
        const run = analyzeRun(spans);
        const roots = run.nodes.filter((node) => node.parent === null).map(({ below }) => below);
        const { entries } = spans;
        expect(sumOf(roots, (sum) => sum.cost)).toBe(sumOf(entries, (entry) => entry.cost));
        expect(sumOf(roots, (sum) => sum.charge)).toBe(sumOf(entries, (entry) => entry.charge));
        expect(sumOf(roots, (sum) => sum.inputTokens)).toBe(
          sumOf(entries, (entry) => entry.inputTokens),
        );
        for (const by of ['run', 'feature', 'tenant'] as const) {
          const rows = figuresOf(run, by);
          expect(sumOf(rows, (row) => row.cost)).toBe(sumOf(entries, (entry) => entry.cost));
        }
      }),
      cases(150),
    );
  });

  it('parents stand before their children, a level above them', () => {
    fc.assert(
      fc.property(anyRun, (spans) => {
        const { nodes } = analyzeRun(spans);
        for (const [index, node] of nodes.entries()) {
          if (node.parent === null) expect(node.depth).toBe(0);
          else {
            expect(nodes.indexOf(node.parent)).toBeLessThan(index);
            expect(node.depth).toBe(node.parent.depth + 1);
          }
        }
      }),
      cases(100),
    );
  });

  it('the order in which spans arrive changes nothing', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const turned = { ...run, entries: run.entries.toReversed(), spans: run.spans.toReversed() };
        expect(shape(turned)).toEqual(shape(run));
        expect(figuresOf(analyzeRun(turned), 'run')).toEqual(figuresOf(analyzeRun(run), 'run'));
      }),
      cases(100),
    );
  });

  it('what was spent in vain is part of the cost, and the causes make it up', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        for (const row of figuresOf(analyzeRun(run), 'feature')) {
          const { failed, superseded, repeated } = row.costBefore;
          expect(failed + superseded + repeated).toBe(row.wastedCost);
          expect(row.wastedCost <= row.cost).toBe(true);
        }
      }),
      cases(100),
    );
  });
});
