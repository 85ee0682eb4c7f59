import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { demoAnswer, demoRequest } from '../../src/demo/demo-answer.ts';
import { cli } from '../support/cli.ts';

// It starts a database, a queue and a Stripe of its own.
const LIMIT_MS = 240_000;

test(
  'a month goes through every step, and what Stripe says is what was pushed',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spanledger-demo-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const run = ['demo', '--calls', '400', '--out', folder, '--json'];
    const { stdout, stderr, exitCode } = await cli(run, {});
    expect(exitCode, stderr).toBe(0);
    const answer = demoAnswer.parse(JSON.parse(stdout));
    expect(answer.laws.map(({ law }) => law)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const live = answer.tenants.filter(({ mode }) => mode === 'live');
    expect(live.length).toBeGreaterThan(3);
    expect(live.map(({ pushed }) => pushed)).toEqual(live.map(({ stripe }) => stripe));
    expect(answer.total.pushed).toBe(answer.total.stripe);
    expect(answer.worker.posted + answer.worker.duplicate).toBeGreaterThan(answer.traffic.calls);
    const names = (await readdir(folder)).map((name) => join(folder, name));
    expect(names.sort()).toEqual([...answer.statements].sort());
    expect(answer.connection).toBeNull();
  },
  LIMIT_MS,
);

test('its request is read by its schema, and nothing beside it', () => {
  const request = { trace: null, calls: 20_500, seed: 42, folder: 'statements', keep: false };
  expect(demoRequest.parse(request)).toEqual(request);
  expect(demoRequest.safeParse({ ...request, month: '2026-10' }).success).toBe(false);
});
