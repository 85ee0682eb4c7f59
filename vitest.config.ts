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
  'test/aws/*.test.ts',
  'test/ingest/worker/batcher.test.ts',
  'test/client/{packing,new-event,journal,client,usage-trace}.test.ts',
  'test/client/calls/**/*.test.ts',
  'test/{architecture,rules,pages,dependencies,edges}.test.ts',
  'test/infra/**/*.test.ts',
  'test/events/**/*.test.ts',
  'test/periods/**/*.test.ts',
  'test/rating/**/!(kept-entries).test.ts',
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
 * What `npm run test:long` runs, so that `npm test` stays a matter of minutes: files which start and kill whole processes, ask every
 * command every question, or replay long histories. Each holds the whole of something that shorter tests beside it hold in parts.
 */
const LONG = [
  'test/demo/demo.test.ts',
  'test/cli/refusals.test.ts',
  'test/cli/cli.test.ts',
  'test/seals/publication/restored.test.ts',
  'test/model/history.test.ts',
  'test/cli/ledger-answers.test.ts',
  'test/ingest/database-faults.test.ts',
  'test/ingest/worker/worker-process.test.ts',
  'test/client/{producer-process,readme}.test.ts',
  'test/ledger/joining/finer-counts.test.ts',
  'test/statements/pdf/statement-pdf.test.ts',
  'test/console/{browser,numbers,pages,acts-refused}.test.ts',
  'test/database/{upgraded-ledger,silent-lines}.test.ts',
  'test/cli/terminal-page.test.ts',
  'test/cli/{serve,seal,prices,month-answers,hostile-texts}.test.ts',
  'test/api/{outsider,fuzz}.test.ts',
  'test/ingest/{hostile-messages,check-producer}.test.ts',
  'test/events/mutated-bodies.property.test.ts',
  'test/budgets/admission.property.test.ts',
  'test/seals/proofs/second-checker.test.ts',
  'test/support/postgres-server.test.ts',
  'test/rating/books/{genai-seed,genai-prices}.test.ts',
  'test/api/{killed-server,queue-away,known-tenants}.test.ts',
  'test/budgets/killed-callers.test.ts',
  'test/bench/**/*.test.ts',
  'test/cli/stripe-double.test.ts',
  'test/audit/laws/{tampering,server-settings}.test.ts',
  'test/database/foreign-tables.test.ts',
  'test/cli/first-process.test.ts',
  'test/client/hostile-values.test.ts',
  'test/statements/html/statement-browser.test.ts',
  'test/ingest/record-or-isolate.test.ts',
  'test/long/**/*.test.ts',
];

/** The same of the months with Stripe: customers who come and go, faults at every step, and random months. */
const LONG_MONTHS = [
  'test/stripe/{customers,invoices,items}/**/*.test.ts',
  'test/month/{run-month,run-months}.test.ts',
  'test/stripe/reads/paced-read.test.ts',
  'test/stripe/{look-first,outage,silence,faults,faults-push,faults-take-back,schedules,event-queue,hostile-pushes}.test.ts',
];

/**
 * The files that take longest of those that `npm test` runs, the longest of each project first. Left to their sizes a small file of long
 * tests would begin last, and one worker would end it alone.
 */
const LONGEST = [
  'test/scenarios.test.ts',
  'test/stripe/push.test.ts',
  'test/simulation/simulation.test.ts',
  'test/ingest/worker/worker.test.ts',
  'test/api/ingest.test.ts',
];

/** A worker is kept, with all that it has loaded, only while the next file is of the same project. */
const PROJECTS = ['stripe', 'long-months', 'database', 'long', 'simulation', 'pure', 'packages'];

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

/** Files with a database each, kept in one worker after another. */
const withDatabase = (name: string, include: string[], exclude: string[]) => ({
  name,
  isolate: false,
  include,
  exclude,
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 90_000,
  hookTimeout: 60_000,
});

/** The same, in which each pause is over at once. */
const withoutPauses = (name: string, include: string[], exclude: string[]) => ({
  ...withDatabase(name, include, exclude),
  setupFiles: ['test/support/without-pauses.ts'],
});

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // Integration tests mostly wait for Postgres, so a few more files than cores keep both busy.
    maxWorkers: 4,
    projects: [
      // No module keeps a state of its own but caches, so files share their imports: half as dear as the tests.
      {
        test: { name: 'pure', include: PURE, exclude: LONG, testTimeout: 60_000, isolate: false },
      },
      {
        test: withDatabase(
          'database',
          ['test/**/*.test.ts'],
          [...PURE, ...WITHOUT_PAUSES, ...LONG, ...SIMULATION, ...PACKAGES],
        ),
      },
      { test: withDatabase('long', LONG, []) },
      { test: withoutPauses('stripe', WITHOUT_PAUSES, LONG_MONTHS) },
      { test: withoutPauses('long-months', LONG_MONTHS, []) },
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
