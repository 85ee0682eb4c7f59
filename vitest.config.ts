import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Workers, and the commands that tests start, load the same packages: each is compiled once.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('node_modules/.cache/spanledger-compiled', import.meta.url),
);

/** Tests that need nothing but the code; every other test gets a database. */
const PURE = [
  'test/{money,present,fields}.test.ts',
  'test/{sqs-client,sqs-refusal}.test.ts',
  'test/ingest/batcher.test.ts',
  'test/client/{packing,new-event,journal,client,usage-trace}.test.ts',
  'test/client/calls/**/*.test.ts',
  'test/{architecture,rules,pages,dependencies,edges}.test.ts',
  'test/infra/**/*.test.ts',
  'test/events/**/*.test.ts',
  'test/periods/**/*.test.ts',
  'test/rating/**/*.test.ts',
  'test/statements/*.test.ts',
  'test/statements/{html,pdf,words}/*.test.ts',
  'test/statements/issuer/logo.test.ts',
  'test/statements/preview/projected-total.test.ts',
  'test/stripe-double/**/*.test.ts',
  'test/ledger/**/{billable,line-of-entry,manifest,manifest-lines,manifest-layers,layers-before-format-4,first-attempt,same-call,call-report,known-reports,difference,tenant-sides,reversal,entry,copy-text,line-hash}.test.ts',
  'test/reports/runs/{run-tree,run-waste}.test.ts',
  'test/seals/**/{merkle-tree,check-proof}.test.ts',
];

/** It stands in for the clock of every module, and has a Postgres to itself. */
const SIMULATION = ['test/simulation/**/*.test.ts'];

/**
 * Tests of what Stripe is told, of the month around it, and the scenarios, some of which push: each pause in the code is over at once. That holds for every
 * module which a worker has loaded, so nothing that must wait shares one with them.
 */
const WITHOUT_PAUSES = ['test/scenarios.test.ts', 'test/{stripe,month}/**/*.test.ts'];

/** What is installed, on each Node that it promises to run on; `npm run test:packages` runs it. */
const PACKAGES = ['test/packages/**/*.test.ts'];

/**
 * The files that take longest, the longest of each project first. Left to their sizes a small file of long tests would begin last,
 * and one worker would end it alone.
 */
const LONGEST = [
  'test/scenarios.test.ts',
  'test/demo/demo.test.ts',
  'test/stripe/items/taken-back.test.ts',
  'test/stripe/faults.test.ts',
  'test/console/browser.test.ts',
  'test/stripe/faults-push.test.ts',
  'test/client/producer-process.test.ts',
  'test/stripe/invoices/invoice.test.ts',
  'test/stripe/push.test.ts',
  'test/cli/terminal-page.test.ts',
  'test/month/run-month.test.ts',
  'test/stripe/schedules.test.ts',
  'test/ingest/worker-process.test.ts',
  'test/model/history.test.ts',
  'test/stripe/hostile-pushes.test.ts',
  'test/audit/laws/tampering.test.ts',
  'test/simulation/simulation.test.ts',
  'test/ingest/worker.test.ts',
  'test/ingest/database-faults.test.ts',
  'test/cli/cli.test.ts',
  'test/console/pages.test.ts',
  'test/stripe/event-queue.test.ts',
];

/** A worker is kept, with all that it has loaded, only while the next file is of the same project. */
const PROJECTS = ['stripe', 'database', 'simulation', 'pure', 'packages'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((file) => moduleId.endsWith(file));
      return index < 0 ? LONGEST.length : index;
    };
    const turn = ({ project }: TestSpecification) => PROJECTS.indexOf(project.name);
    return (await super.sort(files)).sort((a, b) => turn(a) - turn(b) || place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
          exclude: [...PURE, ...WITHOUT_PAUSES, ...SIMULATION, ...PACKAGES],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'stripe',
          isolate: false,
          include: WITHOUT_PAUSES,
          setupFiles: ['test/support/without-pauses.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 90_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'simulation',
          include: SIMULATION,
          globalSetup: ['test/simulation/own-server.ts'],
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
