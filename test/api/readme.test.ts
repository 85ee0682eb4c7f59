import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';
import { ROOT } from '../support/source-files.ts';

const run = promisify(execFile);

/** The programs of README.md, run as they stand there against a listening server. */
it.each([
  ['ts', 'costs.ts', [process.execPath]],
  ['python', 'costs.py', ['python3']],
])(
  'the example in %s prints the cost of each user, feature and trace',
  async (language, name, [program = '']) => {
    const database = await freshDatabase();
    await importBooks(database, 'standard', 'cost');
    const said = { user_id: 'ann', feature: 'chat', trace_id: 't1' };
    await receiveEvents(database, [nativeEvent(said)]);
    const api = await freshApi(database);
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('## Cost per user and per feature'));
    const code = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(section)?.[1] ?? '';
    const folder = await mkdtemp(join(tmpdir(), 'spanledger-readme-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, name), code);
    const env = {
      ...process.env,
      SPANLEDGER_URL: api.url,
      SPANLEDGER_KEY: await api.key('reader'),
    };
    const { stdout } = await run(program, [join(folder, name)], { env });
    const [user, feature, trace] = stdout.trim().split('\n');
    // 1,000 × $3 + 100 × $12 a million
    expect(user).toMatch(/^user ann 1 calls, 0\.0042 charged, 0\.\d+ USD$/);
    expect(feature).toMatch(/^feature chat 1 calls, 0\.0042 charged, 0\.\d+ USD$/);
    expect(trace).toMatch(/^2026-10-15T12:00:00\.000Z t1 ok 1100 tokens 0\.\d+$/);
  },
);
