import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

/** An application beside ours, with the client linked as `npm link` or a workspace does it. */
function makeApplication(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-app-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules/@spanledger'), { recursive: true });
  const client = fileURLToPath(new URL('../../src/client', import.meta.url));
  symlinkSync(client, join(folder, 'node_modules/@spanledger/client'));
  return folder;
}

it('an application has the client by a link, and with it no database and no Stripe', async () => {
  const folder = makeApplication();
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({
      load(url, context, next) {
        loaded.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url)?.[1] ?? '');
        return next(url, context);
      },
    });
    const { openClient } = await import('@spanledger/client');
    const client = openClient({ queueUrl: 'http://127.0.0.1:1/0/usage', folder: null });
    const heavy = ['pg', 'kysely', 'stripe', 'pdfkit', 'luxon', 'pino', 'commander'];
    console.log(client.record({}).detail, heavy.filter((name) => loaded.has(name)));
  `;
  writeFileSync(join(folder, 'application.mjs'), script);
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [join(folder, 'application.mjs')]);
  // The id is the client's own to give; everything else of the event is not.
  expect(stdout).toBe(
    'occurred_at: is missing; it must be an RFC 3339 instant with seconds and an offset, such as "2026-10-01T12:00:00Z" or "…+02:00"; and 1 more []\n',
  );
});
