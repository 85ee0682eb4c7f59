import { startEmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import type { ServerOptions } from './global-setup.ts';

/**
 * Serves one Postgres until stdin ends, which it also does when whoever started this dies, or until it is told to
 * end; then nothing is left of it. A process of its own, because the test runner's module loader cannot find the
 * binaries of a package.
 */

/** Nothing of a test's database outlives the run, so durability would only cost time. */
const FAST_AND_FORGETFUL = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  timezone: 'UTC',
};

const toldToEnd = new Promise<void>((resolve) => {
  process.stdin.resume().once('end', resolve);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
});
// Whoever wanted to know the address may be dead by now.
process.stdout.once('error', () => {});

const [given = '{}'] = process.argv.slice(2);
const { settings = {}, folder, durable = false }: ServerOptions = JSON.parse(given);
const usual = durable ? {} : FAST_AND_FORGETFUL;
const server = await startEmbeddedPostgres({ ...usual, ...settings }, folder);
process.stdout.write(`${server.url}\n`);
await toldToEnd;
process.stdin.destroy();
await server.stop();
