import { access, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { endpointOf, regionOf } from '../aws/sqs-client.ts';
import { explainSqs } from '../aws/sqs-refusal.ts';
import { closeDatabase, openDatabase, pingDatabase } from '../database/database.ts';
import { explainFault } from '../database/explain-fault.ts';
import { Refusal } from '../refusal.ts';
import { makeQueue } from './make-queue-client.ts';
import type { SettingsAnswer, SettingsRequest, SettledQueue } from './settings-answer.ts';

/**
 * Writes a file of variables for all processes, readable by its owner alone, and makes the queue where it may. What does
 * not work yet is named and keeps nothing from being written: a database may be started later, and somebody else may
 * have to make the queue.
 */
export async function writeSettings(request: SettingsRequest): Promise<SettingsAnswer> {
  await refuseWritten(request.file);
  const database = await lackOfDatabase(request.database_url);
  const { queue, lacks } = await settleQueue(request);
  const variables = variablesOf(request, queue);
  const text = variables.map(([name, value]) => `${name}=${quoted(value)}\n`).join('');
  // Nobody's file is written over, not even one that came meanwhile.
  await writeFile(request.file, `${HEAD}${text}`, { mode: 0o600, flag: 'wx' });
  return {
    written: request.file,
    variables: variables.map(([name]) => name),
    queue,
    lacks: [...database, ...lacks, ...lackOfDeadLetters(queue)],
  };
}

const HEAD = `# What spanledger reads from its environment; README.md, "Configuration", says what more there is.
# In a shell: set -a; . ./FILE; set +a
`;

async function refuseWritten(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new Refusal(
    'conflict',
    `${file} is there already, and what is in it may be needed`,
    'give another path, or move that file away first; nothing was changed',
  );
}

async function lackOfDatabase(url: string): Promise<readonly string[]> {
  const database = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
  try {
    await pingDatabase(database);
    return [];
  } catch (error) {
    const refusal = explainFault(error);
    if (refusal === null) throw error;
    return [`the database could not be asked: ${refusal.message}`];
  } finally {
    await closeDatabase(database);
  }
}

async function settleQueue(
  request: SettingsRequest,
): Promise<{ readonly queue: SettledQueue | null; readonly lacks: readonly string[] }> {
  const { queue: named, region, endpoint } = request;
  if (named === null) return { queue: null, lacks: [] };
  if (named.includes('://')) {
    const queue: SettledQueue = { queue_url: named, state: 'given', dead_letters: null };
    return { queue, lacks: [] };
  }
  try {
    return { queue: await makeQueue(named, { endpoint, region }), lacks: [] };
  } catch (error) {
    const refusal = explainSqs(error);
    const why = refusal?.message ?? (error instanceof Error ? error.message : '');
    const words = (refusal?.remedy ?? []).filter((part) => typeof part === 'string');
    const first = words.length === 0 ? '' : `${words.join('')}; or `;
    const lack = `the queue "${named}" could not be made: ${why}; ${first}let somebody who may make a standard queue with a dead-letter queue after 10 receives, and write its address to SPANLEDGER_QUEUE_URL`;
    return { queue: null, lacks: [lack] };
  }
}

function lackOfDeadLetters(queue: SettledQueue | null): readonly string[] {
  if (queue?.state !== 'found' || queue.dead_letters !== null) return [];
  return [
    'the queue has no dead-letter queue: give it one, with a maxReceiveCount of 10, or a message that nobody can take is received forever',
  ];
}

function variablesOf(
  request: SettingsRequest,
  queue: SettledQueue | null,
): readonly (readonly [name: string, value: string])[] {
  const { database_url, region, endpoint, stripe_api_key: key } = request;
  const keyFile = request.stripe_api_key_file;
  const own = queue === null ? null : endpointOf(queue.queue_url, endpoint);
  const regionOfQueue = queue === null ? null : regionOf(queue.queue_url);
  return [
    ['DATABASE_URL', database_url],
    ...when('SPANLEDGER_QUEUE_URL', queue?.queue_url ?? null),
    ...when('AWS_REGION', region ?? regionOfQueue),
    ...when('AWS_ENDPOINT_URL_SQS', own),
    ...(keyFile === null
      ? when('STRIPE_API_KEY', key)
      : when('STRIPE_API_KEY_FILE', resolve(keyFile))),
    ...when('STRIPE_API_BASE', request.stripe_api_base),
  ];
}

function when(name: string, value: string | null): readonly (readonly [string, string])[] {
  return value === null ? [] : [[name, value]];
}

/** A shell and Node read a value in quotes alike; most values need none. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
