import { describe, expect, it } from 'vitest';
import { percentOf } from '../../../src/reports/percent.ts';
import { analyzeRun } from '../../../src/reports/runs/agent-run.ts';
import { costPerSuccess, figuresOf } from '../../../src/reports/runs/run-figures.ts';
import { RunRanking } from '../../../src/reports/runs/run-ranking.ts';
import type { CallStep, RunEntry, RunSpan } from '../../../src/reports/runs/run-step.ts';
import { call, corrected, runOf, wrapper } from './run-samples.ts';

const figures = (entries: readonly RunEntry[], spans: readonly RunSpan[] = []) => {
  const [row] = figuresOf(analyzeRun(runOf(entries, spans)), 'run');
  if (row === undefined) throw new Error('no calls');
  return row;
};

/** Calls one after the other, each with 500 input tokens more, that cost 200 p each. */
const growing = (count: number, change: Partial<RunEntry> = {}) =>
  Array.from({ length: count }, (_, n) =>
    call(n, { inputTokens: 1000n + 500n * BigInt(n), ...change }),
  );

const idOf = ({ facts }: CallStep) => facts.eventId;

describe('what is spent before the answer', () => {
  it('is the cost of failed and cancelled calls, answered later or not', () => {
    const entries = [
      call(0, { status: 'error', cost: 120n, charge: 0n }),
      call(1, { status: 'cancelled', cost: 60n, charge: 0n, attempt: 2 }),
      call(2, { cost: 120n, charge: 300n, attempt: 3 }),
    ];
    // 120 + 60 of 120 + 60 + 120 = 180 of 300
    const row = figures(entries);
    expect(row).toMatchObject({
      calls: 3,
      failed: 2,
      laterAttempts: 2,
      cost: 300n,
      wastedCost: 180n,
    });
    expect(percentOf(row.wastedCost, row.cost)).toBe('60.00');
    // Failed calls were charged nothing, so nothing of the charge was in vain.
    expect(row.wastedCharge).toBe(0n);
  });

  it('is the cost of an answer that a later attempt of the same call replaced', () => {
    const entries = [call(0, { cost: 200n }), call(1, { cost: 300n, attempt: 2 })];
    // the first answer's 200 of 200 + 300
    expect(figures(entries)).toMatchObject({
      wastedCost: 200n,
      wastedCharge: 300n,
      costBefore: { failed: 0n, superseded: 200n, repeated: 0n },
    });
  });

  it('a later attempt is told with the one that it followed, failed or answered', () => {
    const entries = [
      call(0, { status: 'error', cost: 0n }),
      call(1, { cost: 200n, attempt: 2 }),
      call(2, { cost: 200n, attempt: 3 }),
      call(3),
    ];
    const { follows } = analyzeRun(runOf(entries, [])).waste;
    const named = [...follows].map(([later, before]) => [later, before].map(idOf));
    expect(named).toEqual([
      ['call-1', 'call-0'],
      ['call-2', 'call-1'],
    ]);
  });

  it('a second attempt follows the failed first one, not an answer that came in between', () => {
    const entries = [
      call(0, { status: 'error', cost: 0n }),
      call(1, { cost: 200n }),
      call(2, { cost: 200n, attempt: 2 }),
    ];
    expect(figures(entries).wastedCost).toBe(0n);
  });

  it('attempts of one call id are of one call, in a trace or without any', () => {
    for (const traceId of ['trace-1', null]) {
      const entries = [
        call(0, { callId: 'c-1', traceId, parentSpanId: 'a' }),
        call(1, { callId: 'c-2', traceId, parentSpanId: 'b' }),
        call(2, { callId: 'c-1', traceId, parentSpanId: 'b', attempt: 2 }),
      ];
      expect(figures(entries)).toMatchObject({
        laterAttempts: 1,
        costBefore: { failed: 0n, superseded: 200n, repeated: 0n },
      });
      const { follows } = analyzeRun(runOf(entries)).waste;
      expect([...follows].map((pair) => pair.map(idOf))).toEqual([['call-2', 'call-0']]);
    }
  });

  it('attempts under different parents, or of another model, replace nothing', () => {
    const apart = [call(0, { parentSpanId: 'a' }), call(1, { parentSpanId: 'b', attempt: 2 })];
    expect(figures(apart).wastedCost).toBe(0n);
    const other = [call(0), call(1, { requestedModel: 'gpt-4o-mini', attempt: 2 })];
    expect(figures(other).wastedCost).toBe(0n);
  });

  it('members of a batch are no attempts of one another', () => {
    const members = [call(0, { memberId: 'a' }), call(1, { memberId: 'b', attempt: 2 })];
    expect(figures(members).wastedCost).toBe(0n);
  });

  it('a call that was taken back counts for nothing', () => {
    const posted = call(0, { status: 'error', cost: 120n });
    const [reversal] = corrected(posted);
    expect(figures([posted, reversal ?? posted, call(1)])).toMatchObject({
      calls: 1,
      failed: 0,
      wastedCost: 0n,
      cost: 200n,
    });
  });

  it('a corrected call counts as it stands, with what all its revisions sum to', () => {
    const posted = call(0, { status: 'error', cost: 120n });
    // 120 - 120 + 90
    const entries = [posted, ...corrected(posted, { cost: 90n }), call(1)];
    expect(figures(entries)).toMatchObject({ failed: 1, wastedCost: 90n, cost: 290n });
  });
});

describe('a loop', () => {
  it('is four growing repetitions or more; all but the last were spent before the answer', () => {
    // 4 x 200 = 800 of which 3 x 200 = 600: 75 %
    const row = figures(growing(4));
    expect(row).toMatchObject({ loops: 1, loopSteps: 4, cost: 800n, wastedCost: 600n });
    expect(row.costBefore).toEqual({ failed: 0n, superseded: 0n, repeated: 600n });
    expect(percentOf(row.wastedCost, row.cost)).toBe('75.00');
  });

  it('is not an agent that uses a tool or two', () => {
    expect(figures(growing(3))).toMatchObject({ loops: 0, wastedCost: 0n });
  });

  it('begins where whoever asks says', () => {
    const run = analyzeRun(runOf(growing(3)), 3);
    expect(run.waste.loops.map(({ steps }) => steps.length)).toEqual([3]);
  });

  it.each([
    ['of another operation', { operation: 'text_completion' }],
    ['of another model', { requestedModel: 'gpt-4o-mini' }],
    ['of another feature', { feature: 'chat' }],
    ['of another prompt version', { promptVersion: 'v2' }],
    ['under another parent', { parentSpanId: 'other' }],
    ['in another trace', { traceId: 'trace-2' }],
  ] as const)('is broken by a step %s', (_, change) => {
    const [first, second, third, fourth] = growing(4);
    const entries = [first, second, third, { ...(fourth as RunEntry), ...change }] as RunEntry[];
    expect(figures(entries).loops).toBe(0);
  });

  it('ends where the context does not grow, and begins anew there', () => {
    const again = growing(4).map((entry, n) => call(10 + n, { inputTokens: entry.inputTokens }));
    const row = figures([...growing(4), ...again]);
    // two loops of 4: 2 x 3 x 200
    expect(row).toMatchObject({ loops: 2, loopSteps: 8, wastedCost: 1200n });
    expect(figures(growing(6, { inputTokens: 1000n })).loops).toBe(0);
  });

  it('is not calls that ran side by side', () => {
    const started = call(0).startedAt;
    expect(figures(growing(6, { startedAt: started })).loops).toBe(0);
  });

  it('is found through the step that a framework puts around each call', () => {
    const agent = wrapper('agent', [0, 60]);
    const steps = [0, 1, 2, 3].map((n) =>
      wrapper(`step-${n}`, [n, n + 0.95], { operation: 'agent_step', parentSpanId: 'agent' }),
    );
    const calls = growing(4).map((entry, n) => ({ ...entry, parentSpanId: `step-${n}` }));
    expect(figures(calls, [agent, ...steps]).loops).toBe(1);
    // Two agents with two calls each are no loop of four.
    const pairs = calls.map((entry, n) => ({ ...entry, parentSpanId: `agent-${n < 2 ? 1 : 2}` }));
    const agents = [1, 2].map((n) => wrapper(`agent-${n}`, [0, 60], { parentSpanId: 'agent' }));
    expect(figures(pairs, [agent, ...agents]).loops).toBe(0);
  });

  it('passes over calls that reported no tokens, and counts what failed as failed', () => {
    const entries = growing(5).map((entry, n) => {
      if (n === 1) return { ...entry, status: 'error' as const, inputTokens: 0n, cost: 0n };
      return n === 2 ? { ...entry, status: 'error' as const } : entry;
    });
    // Steps 0, 2, 3, 4 grow: 0 and 3 were repeated (2 x 200), 2 failed (200), 4 is the last.
    expect(figures(entries).costBefore).toEqual({ failed: 200n, superseded: 0n, repeated: 400n });
  });
});

describe('a run is successful', () => {
  const succeeded = (entries: readonly RunEntry[], spans: readonly RunSpan[] = []) =>
    analyzeRun(runOf(entries, spans)).succeeded;

  it('when the span around it is, whatever its calls were', () => {
    const failing = call(1, { status: 'error', parentSpanId: 'agent' });
    expect(succeeded([failing], [wrapper('agent', [0, 9])])).toBe(true);
    expect(succeeded([call(1)], [wrapper('agent', [0, 9], { status: 'error' })])).toBe(false);
  });

  it('when its last model call is, where no span is around it', () => {
    expect(succeeded([call(1, { status: 'error' }), call(2)])).toBe(true);
    expect(succeeded([call(1), call(2, { status: 'cancelled' })])).toBe(false);
  });

  it('when the last of its traces is', () => {
    const first = wrapper('a', [0, 5], { status: 'error' });
    expect(succeeded([], [first, wrapper('b', [6, 9], { traceId: 'trace-2' })])).toBe(true);
  });

  it('not, when all its calls were taken back', () => {
    const posted = call(1);
    expect(succeeded([posted, corrected(posted)[0] ?? posted])).toBe(false);
  });
});

describe('rows of many runs', () => {
  const row = (cost: bigint, change: Partial<RunEntry> = {}) =>
    figuresOf(analyzeRun(runOf([call(0, { cost, ...change })])), 'tenant').at(0) ?? figures([]);

  it('cost of all runs over those that succeeded is what one success costs', () => {
    const ranking = new RunRanking(10);
    for (const figure of [row(200n), row(200n), row(101n, { status: 'error' })])
      ranking.merge(figure);
    const [merged] = ranking.end().rows;
    // 200 + 200 + 101 = 501 over 2 successes = 250.5, half up
    expect(merged).toMatchObject({ runs: 3, succeeded: 2, cost: 501n });
    expect(costPerSuccess(merged ?? row(0n))).toBe(251n);
    expect(costPerSuccess(row(5n, { status: 'error' }))).toBe(null);
  });

  it('stand with the most wasted first, and only as many as are asked for', () => {
    const ranking = new RunRanking(2);
    for (let cost = 1n; cost <= 50n; cost += 1n) ranking.append(row(cost, { status: 'error' }));
    const { rows, total } = ranking.end();
    expect(rows.map(({ wastedCost }) => wastedCost)).toEqual([50n, 49n]);
    expect(total).toEqual({ rows: 50, wastedRows: 50 });
  });

  it('by feature, a run counts in each feature that it has calls in', () => {
    const run = analyzeRun(runOf([call(0), call(1, { feature: 'chat', cost: 50n }), call(2)]));
    const rows = figuresOf(run, 'feature').map(({ name, runs, cost }) => ({ name, runs, cost }));
    expect(rows).toEqual([
      { name: 'search', runs: 1, cost: 400n },
      { name: 'chat', runs: 1, cost: 50n },
    ]);
  });

  it('never mix currencies', () => {
    const run = analyzeRun(runOf([call(0), call(1, { currency: 'EUR' })]));
    expect(figuresOf(run, 'tenant').map(({ currency }) => currency)).toEqual(['USD', 'EUR']);
  });
});

it('a share is rounded down to hundredths of a percent, and there is none of nothing', () => {
  expect(percentOf(2n, 3n)).toBe('66.66');
  expect(percentOf(1n, 30_000n)).toBe('0.00');
  expect(percentOf(7n, 7n)).toBe('100.00');
  expect(percentOf(0n, 0n)).toBe(null);
});
