import { expect, it } from 'vitest';
import { analyzeRun } from '../../../src/reports/runs/agent-run.ts';
import { figuresOf, type RunFigures } from '../../../src/reports/runs/run-figures.ts';
import { RunRanking } from '../../../src/reports/runs/run-ranking.ts';
import { RUN_ORDERS } from '../../../src/reports/runs/runs-answer.ts';
import { call, runOf } from './run-samples.ts';

const figures = (name: string, change: Partial<RunFigures>): RunFigures => {
  const [row] = figuresOf(analyzeRun(runOf([call(0)], [])), 'run');
  if (row === undefined) throw new Error('no calls');
  return { ...row, name, ...change };
};

const RUNS = [
  figures('dear', { cost: 900n, wastedCost: 90n }),
  figures('in vain', { cost: 500n, wastedCost: 200n }),
  figures('all in vain', { cost: 100n, wastedCost: 100n }),
  figures('unknown', { cost: 10n, wastedCost: 10n, uncosted: 1 }),
  figures('looping', { cost: 20n, wastedCost: 1n, loops: 2, loopSteps: 9 }),
];

it.each([
  ['waste', ['in vain', 'all in vain', 'dear', 'unknown', 'looping']],
  ['cost', ['dear', 'in vain', 'all in vain', 'looping', 'unknown']],
  ['share', ['all in vain', 'in vain', 'dear', 'looping', 'unknown']],
  ['loops', ['looping', 'in vain', 'all in vain', 'dear', 'unknown']],
] as const)(
  'runs stand in the order of %s, what is unknown after what is known',
  (order, names) => {
    const ranking = new RunRanking(10, order);
    for (const row of RUNS) ranking.append(row);
    expect(ranking.end().rows.map(({ name }) => name)).toEqual(names);
  },
);

it.each(RUN_ORDERS)('by %s the first are kept, however many come', (order) => {
  const [all, few] = [new RunRanking(1000, order), new RunRanking(2, order)];
  for (let nth = 0; nth < 40; nth += 1) {
    const row = figures(`run ${nth}`, {
      ...{ cost: BigInt((nth * 7) % 40), wastedCost: BigInt((nth * 3) % 7), loops: nth % 5 },
    });
    all.append(row);
    few.append(row);
  }
  expect(few.end().rows).toEqual(all.end().rows.slice(0, 2));
});
