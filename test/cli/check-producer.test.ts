import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { producerAnswer } from '../../src/ingest/producer-answer.ts';
import { cli } from '../support/cli.ts';

const EVENT = {
  event_id: 'e1',
  tenant_id: 'acme',
  occurred_at: new Date().toISOString(),
  status: 'ok',
  requested_model: 'gpt-4o',
  usage: { input_tokens: 1200, output_tokens: 20 },
  colour: 'blue',
};

async function fileOf(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'check-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'sample.json');
  await writeFile(path, text);
  return path;
}

it('check-producer needs no database, and says what a body would become', async () => {
  const { stdout, exitCode } = await cli(['check-producer', await fileOf(JSON.stringify(EVENT))]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('call      acme    chat gpt-4o  input_tokens 1,200, output_tokens 20');
  expect(stdout).toContain('1 body: 1 call');
  expect(stdout).toContain('Ignored, since no value would change anything:\n  colour');
});

it('check-producer --json prints its answer, and ends with 1 where something would wait', async () => {
  const path = await fileOf(`${JSON.stringify(EVENT)}\n{"event_id":"e2"}\n`);
  const { stdout, stderr, exitCode } = await cli(['check-producer', path, '--json']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 1 });
  const answer = producerAnswer.parse(JSON.parse(stdout));
  expect(answer.outcomes).toEqual({ call: 1, quarantine: 1 });
});

it('check-producer names a file that cannot be read', async () => {
  const { stderr, exitCode } = await cli(['check-producer', 'no-such-file.json']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('cannot open no-such-file.json: there is no such file or folder');
});
