import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { ROOT } from '../support/source-files.ts';

/** The packages that the entry finds in its zip and in its runtime, as far as it uses them. */
const PACKAGES = {
  '@aws-sdk/client-secrets-manager': `
    export class GetSecretValueCommand {}
    export class SecretsManagerClient {
      async send() {
        const login = { username: 'ingest', host: 'ledger', port: 5432, dbname: 'spanledger' };
        return { SecretString: JSON.stringify({ ...login, password: globalThis.passwordOfLedger }) };
      }
    }`,
  'spanledger/lambda': `
    export const handler = async ({ Records }) => ({
      batchItemFailures: process.env.PGPASSWORD === globalThis.passwordOfLedger
        ? [] : Records.map(({ messageId }) => ({ itemIdentifier: messageId })),
    });`,
};

it('a function whose password was rotated reads it anew, and goes on with the next call', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-entry-'));
  await cp(join(ROOT, 'infra/cdk/lambda/entry.mjs'), join(folder, 'entry.mjs'));
  for (const [name, text] of Object.entries(PACKAGES)) {
    const place = join(folder, 'node_modules', name);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'index.mjs'), text);
  }
  const manifest = (exported: object) => JSON.stringify({ type: 'module', exports: exported });
  await writeFile(
    join(folder, 'node_modules/@aws-sdk/client-secrets-manager/package.json'),
    manifest({ '.': './index.mjs' }),
  );
  await writeFile(
    join(folder, 'node_modules/spanledger/package.json'),
    manifest({ './lambda': './lambda/index.mjs' }),
  );
  const rotate = (password: string) => Object.assign(globalThis, { passwordOfLedger: password });
  rotate('first');
  const { handler } = await import(pathToFileURL(join(folder, 'entry.mjs')).href);
  const call = () => handler({ Records: [{ messageId: 'one' }] }, {});
  expect(await call()).toEqual({ batchItemFailures: [] });
  rotate('second');
  expect(await call()).toEqual({ batchItemFailures: [{ itemIdentifier: 'one' }] });
  expect(await call()).toEqual({ batchItemFailures: [] });
});
