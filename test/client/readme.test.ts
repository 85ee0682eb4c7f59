import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { freshApi } from '../support/api.ts';
import { freshDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import { chatAnswer } from '../support/provider-answers.ts';
import { openProvider } from '../support/provider-double.ts';
import {
  compilesInPython,
  exampleIn,
  isHere,
  runPython,
  runShell,
  runTypeScript,
} from '../support/readme-programs.ts';

/** The programs of README.md against a ledger of their own, so that every figure is known. */

async function scene(): Promise<{
  readonly database: TestDatabase;
  readonly env: NodeJS.ProcessEnv;
}> {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'newco');
  const api = await freshApi(database);
  const env = { ...process.env, SPANLEDGER_URL: api.url, SPANLEDGER_KEY: await api.key('admin') };
  const folding = setInterval(() => void foldAll(database, systemClock).catch(() => {}), 50);
  onTestFinished(() => clearInterval(folding));
  return { database, env };
}

it('the three steps in TypeScript tag, report and enforce', async () => {
  const { env } = await scene();
  // What the application calls is the real package, and its provider is a server here.
  const provider = await openProvider((_, nth) => ({
    body: chatAnswer({ id: `chatcmpl-the-answer-number-${nth}` }),
  }));
  const openai = { OPENAI_BASE_URL: `${provider.url}/v1`, OPENAI_API_KEY: 'sk-test' };
  // twice 1,200 × $3 + 300 × $12 a million
  expect(await runTypeScript({ ...env, ...openai })).toEqual([
    expect.stringMatching(/^user ann 0\.0144 charged, 0\.\d+ USD$/),
    expect.stringMatching(/^feature search 0\.0144 charged, 0\.\d+ USD$/),
    'trace 2 calls, 3000 tokens',
    expect.stringMatching(/^refused \d+ of 10000 tokens left until 20\d\d-\d\d-\d\dT/),
  ]);
  expect(provider.requests).toHaveLength(2);
});

it.skipIf(!isHere('python3'))('the three steps in Python tag, report and enforce', async () => {
  const { env } = await scene();
  expect(await runPython(env)).toEqual([
    expect.stringMatching(/^user ann 0\.0072 charged, 0\.\d+ USD$/),
    expect.stringMatching(/^feature search 0\.0072 charged, 0\.\d+ USD$/),
    'trace 1 calls, 1500 tokens',
    expect.stringMatching(/^refused \d+ of 10000 tokens left until 20\d\d-\d\d-\d\dT/),
  ]);
});

it.skipIf(!isHere('curl'))('the three steps with curl tag, report and enforce', async () => {
  const { env } = await scene();
  const text = (await runShell(env)).join('\n');
  expect(text).toMatch(/"taken":1,"not_taken":0/);
  expect(text).toMatch(/^.*ann,search.*0\.0072/m);
  expect(text).toMatch(/"trace_id":"readme-trace-1"/);
  expect(text).toMatch(/^200 \d+(?:\.\d+)? left\n402 \d+(?:\.\d+)? left$/m);
});

it.skipIf(!isHere('curl'))(
  'what an exporter of OpenTelemetry sends is a call of its tenant',
  async () => {
    const { database, env } = await scene();
    expect((await runShell(env, 1)).join('')).not.toContain('rejectedSpans":1');
    expect(
      await textRows(database, 'select tenant_id, user_id, charge from audit.entries'),
    ).toEqual([{ tenant_id: 'newco', user_id: 'ann', charge: '0.0072' }]);
  },
);

it.skipIf(!isHere('python3'))(
  'the program for the SDK of OpenTelemetry in Python is one',
  async () => {
    await compilesInPython(await exampleIn('python', 1));
  },
);
