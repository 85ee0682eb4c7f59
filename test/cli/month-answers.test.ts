import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { z } from 'zod';
import { archiveAnswer, archiveCheckAnswer } from '../../src/archive/archive-answer.ts';
import {
  verificationAnswer,
  verificationRequest,
} from '../../src/audit/laws/verification-answer.ts';
import { migrationAnswer, migrationRequest } from '../../src/database/migration-answer.ts';
import { workerAnswer, workerRequest } from '../../src/ingest/worker/worker-answer.ts';
import { issuerAnswer, setIssuerRequest } from '../../src/issuer/issuer-answer.ts';
import { closeAnswer, closeRequest } from '../../src/ledger/closes/close-answer.ts';
import { monthsAnswer, monthsPlanAnswer, monthsRequest } from '../../src/month/month-answer.ts';
import { statusAnswer, statusRequest } from '../../src/month/status/status-answer.ts';
import { proofCheckAnswer, proofCheckRequest } from '../../src/seals/proofs/proof-answer.ts';
import {
  sealListAnswer,
  sealListRequest,
  sealPublicationAnswer,
  sealPublicationRequest,
} from '../../src/seals/seal-answer.ts';
import {
  statementAnswer,
  statementRequest,
  writtenProofAnswer,
  writtenStatementAnswer,
} from '../../src/statements/statement-answer.ts';
import { cli } from '../support/cli.ts';
import { freshQueue } from '../support/queue.ts';
import { openPushScene, type PushScene } from '../support/stripe.ts';

/** What `--json` prints is the answer of the use case: its schema reads it, and is strict. */

let scene: PushScene;
let folder: string;
const closing: (() => Promise<void>)[] = [];

/** A live tenant whose month is closed, and a Stripe that is set up. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanledger-answers-'));
  scene = await openPushScene(['acme'], {}, (close) => closing.unshift(close));
});

afterAll(async () => {
  for (const close of closing) await close();
  await rm(folder, { recursive: true });
});

interface Case {
  /** `DIR` stands for a folder of the test's own. */
  readonly command: string;
  readonly answer: z.ZodType;
}

/** In this order: what one writes, a later one reads. */
const CASES: readonly Case[] = [
  { command: 'migrate', answer: migrationAnswer },
  { command: 'migrate --citus --roles', answer: migrationAnswer },
  { command: 'close 2026-10', answer: closeAnswer },
  { command: 'issuer set --name Northwind', answer: issuerAnswer },
  { command: 'issuer show', answer: issuerAnswer },
  { command: 'statement acme 2026-10', answer: statementAnswer },
  { command: 'statement acme 2026-11 --preview', answer: statementAnswer },
  { command: 'statement acme 2026-10 --out DIR/acme.txt', answer: writtenStatementAnswer },
  { command: 'statement acme 2026-10 --proof --out DIR/proof.json', answer: writtenProofAnswer },
  { command: 'prove DIR/proof.json', answer: proofCheckAnswer },
  { command: 'archive write --month 2026-10 --to DIR/archive', answer: archiveAnswer },
  { command: 'archive check DIR/archive', answer: archiveCheckAnswer },
  { command: 'seal publish --to DIR/seals.jsonl', answer: sealPublicationAnswer },
  { command: 'seal list', answer: sealListAnswer },
  { command: 'verify --against DIR/seals.jsonl', answer: verificationAnswer },
  { command: 'verify --incremental', answer: verificationAnswer },
  { command: 'run-month 2026-10 --dry-run', answer: monthsPlanAnswer },
  { command: 'run-month 2026-10 --out DIR', answer: monthsAnswer },
  { command: 'status', answer: statusAnswer },
  { command: 'status --month 2026-10', answer: statusAnswer },
];

it.each(CASES)('$command prints its answer', async ({ command, answer }) => {
  const args = command.split(' ').map((word) => word.replace('DIR', folder));
  const { stdout, stderr } = await cli([...args, '--json'], scene.environment);
  expect(stderr).toBe('');
  const document = JSON.parse(stdout);
  expect(answer.safeParse(document).error?.issues).toBeUndefined();
  expect(document).not.toEqual([]);
});

it('worker --until-empty prints its answer', async () => {
  const queue = await freshQueue();
  await queue.send('no event at all');
  const environment = { ...scene.environment, ...queue.environment };
  const { stdout } = await cli(['worker', '--until-empty', '--json'], environment);
  expect(workerAnswer.parse(JSON.parse(stdout))).toMatchObject({ messages: 1, quarantined: 1 });
});

it.each([
  { request: statusRequest, json: { month: null } },
  { request: closeRequest, json: { month: '2026-10', tenant_id: null } },
  { request: migrationRequest, json: { citus: false, roles: true } },
  { request: monthsRequest, json: { month: '2026-10', folder: 'statements', issuer: 'Acme' } },
  { request: monthsRequest, json: { month: 'last', folder: 'statements', issuer: null } },
  { request: proofCheckRequest, json: { file: 'proof.json' } },
  { request: sealListRequest, json: { last: 20 } },
  {
    request: sealPublicationRequest,
    json: {
      to: 's3://acme-audit/anew',
      retain_days: 2557,
      lock_mode: 'compliance',
      restored_from: 's3://acme-audit/seals',
      reason: 'a disk was lost',
    },
  },
  {
    request: setIssuerRequest,
    json: { name: 'Northwind', address: 'Berlin', support_url: 'https://northwind.example' },
  },
  { request: statementRequest, json: { tenant_id: 'acme', month: '2026-10', preview: false } },
  { request: workerRequest, json: { until_empty: true, pollers: 4 } },
  { request: verificationRequest, json: { scope: 'incremental', against: 's3://acme-audit' } },
])('$json is read by its schema, and nothing beside it', ({ request, json }) => {
  expect(request.parse(json)).toEqual(json);
  expect(request.safeParse({ ...json, tenant: 'acme' }).success).toBe(false);
  for (const field of Object.keys(json)) {
    expect(request.safeParse({ ...json, [field]: 4.5 }).success, field).toBe(false);
  }
});

it('run-month goes on where enough of the cost has its tags, and stops where too little has', async () => {
  const run = (bounds: string) =>
    cli(['run-month', '2026-10', '--dry-run', '--coverage-min', bounds], scene.environment);
  expect((await run('tenant=1')).stdout).toMatch(/^coverage +done/m);
  const held = await run('tenant=1,prompt_version=100');
  expect(held.stdout).toMatch(/^coverage +wrong/m);
  expect(held.exitCode).toBe(1);
});

it('run-month says which bounds there are', async () => {
  const args = ['run-month', '2026-10', '--coverage-min', 'tennant=95'];
  const { stderr, exitCode } = await cli(args, scene.environment);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('"tennant=95" is not a bound: write tag=percent, such as tenant=95');
});
