import type { Database } from '../database/database.ts';
import { closeDatabase, createDatabase, openDatabase } from '../database/database.ts';
import type { Parts } from '../parts.ts';
import { openStripe } from '../stripe/stripe-client.ts';
import type { StripeParts } from '../stripe/stripe-parts.ts';
import { type StripeDouble, startStripeDouble } from '../stripe-double/stripe-double.ts';
import { refuseWithoutPackages } from './demo-packages.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { type LocalQueue, startLocalQueue } from './local-queue.ts';
import type { Trace } from './trace.ts';

/** The parts that the demo runs on, each real: a database, a queue over HTTP, a Stripe over HTTP. */
export interface DemoParts extends StripeParts {
  readonly postgres: EmbeddedPostgres;
  readonly queue: LocalQueue;
  readonly double: StripeDouble;
  readonly trace: Trace;
  /** Takes a line on the way, for people. */
  readonly say: (line: string) => void;
  readonly progress: (label: string, done: number, all: number) => void;
}

/** The parts while they run. */
export interface RunningDemo extends DemoParts {
  stop(): Promise<void>;
}

const DATABASE_NAME = 'spanledger';

export async function startDemoParts(
  parts: Pick<Parts, 'clock' | 'log'> & Pick<DemoParts, 'say' | 'progress' | 'trace'>,
): Promise<RunningDemo> {
  await refuseWithoutPackages();
  const [postgres, queue, double] = await Promise.all([
    startEmbeddedPostgres(),
    startLocalQueue(),
    startStripeDouble(),
  ]);
  const database = await openDemoDatabase(postgres, parts);
  const stripe = openStripe({ apiKey: double.apiKey, apiBase: double.url });
  parts.say(
    'started an embedded Postgres, a local SQS server and the Stripe double, each on loopback until the demo ends',
  );
  return {
    ...parts,
    postgres,
    queue,
    double,
    database,
    stripe,
    livemode: false,
    async stop() {
      await closeDatabase(database);
      await Promise.all([postgres.stop(), queue.stop(), double.close()]);
    },
  };
}

async function openDemoDatabase(
  postgres: EmbeddedPostgres,
  { log }: Pick<Parts, 'log'>,
): Promise<Database> {
  const admin = openDatabase({ url: postgres.url, connections: 1, onConnectionLost: () => {} });
  await createDatabase(admin, DATABASE_NAME);
  await closeDatabase(admin);
  return openDatabase({
    url: postgres.urlOf(DATABASE_NAME),
    connections: 12,
    onConnectionLost: (error) => log.warn({ error: error.message }, 'connection lost'),
  });
}

/** Returns the environment variables by which the parts that go on running are reached. */
export function connectionOf(parts: DemoParts): Readonly<Record<string, string>> {
  return {
    DATABASE_URL: parts.postgres.urlOf(DATABASE_NAME),
    SPANLEDGER_QUEUE_URL: parts.queue.queueUrl,
    AWS_ENDPOINT_URL_SQS: parts.queue.endpoint,
    STRIPE_API_BASE: parts.double.url,
    STRIPE_API_KEY: parts.double.apiKey,
  };
}
