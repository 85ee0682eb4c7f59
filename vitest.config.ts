import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Workers, and the commands that tests start, load the same packages: each is compiled once.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('node_modules/.cache/spanledger-compiled', import.meta.url),
);

/** Tests that need nothing but the code; every other test gets a database. */
const PURE = [
  'test/{money,present}.test.ts',
  'test/{sqs-client,sqs-refusal}.test.ts',
  'test/ingest/batcher.test.ts',
  'test/client/{packing,new-event,journal,client,usage-trace}.test.ts',
  'test/client/calls/**/*.test.ts',
  'test/{architecture,rules,pages,dependencies}.test.ts',
  'test/infra/**/*.test.ts',
  'test/events/**/*.test.ts',
  'test/periods/**/*.test.ts',
  'test/rating/**/*.test.ts',
  'test/statements/*.test.ts',
  'test/statements/{html,pdf,words}/*.test.ts',
  'test/statements/issuer/logo.test.ts',
  'test/statements/preview/projected-total.test.ts',
  'test/stripe-double/**/*.test.ts',
  'test/ledger/**/{billable,line-of-entry,manifest,manifest-layers,first-attempt,reversal,copy-text}.test.ts',
  'test/reports/runs/{run-tree,run-waste}.test.ts',
  'test/seals/**/{merkle-tree,check-proof}.test.ts',
];

/** What is installed, on each Node that it promises to run on; `npm run test:packages` runs it. */
const PACKAGES = ['test/packages/**/*.test.ts'];

export default defineConfig({
  test: {
    // Integration tests mostly wait for Postgres, so a few more files than cores keep both busy.
    maxWorkers: 4,
    projects: [
      // No module keeps a state of its own but caches, so files share their imports: half as dear as the tests.
      { test: { name: 'pure', include: PURE, testTimeout: 60_000, isolate: false } },
      {
        test: {
          name: 'database',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [...PURE, ...PACKAGES],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'packages',
          include: PACKAGES,
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
