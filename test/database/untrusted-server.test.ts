import { mkdtemp, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { faultOf } from '../../src/database/database-fault.ts';
import { explainFault } from '../../src/database/explain-fault.ts';
import { Refusal } from '../../src/refusal.ts';
import { phraseRemedy } from '../../src/remedy.ts';
import { type CertificateOf, makeAuthority, makeCertificate } from '../support/certificates.ts';

/** Databases over TLS: one that is there, and whose certificate is not trusted, is not told as one that is away. */

const DAY = 86_400_000;
const days = (from: number, to: number) => ({
  from: new Date(Date.now() + from * DAY),
  to: new Date(Date.now() + to * DAY),
});
const OURS: CertificateOf = { name: 'database', address: [127, 0, 0, 1], ...days(-1, 1) };
const authority = makeAuthority({ name: 'an authority', ...days(-100, 100) });

interface TlsServer {
  readonly cert: string;
  readonly key: string;
  /** Whether it takes only who shows a certificate, too. */
  readonly requestCert?: boolean;
}

/** Speaks as a server does until its certificate is seen. */
async function serverWith(certificate: TlsServer) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('S');
      new TLSSocket(socket, { isServer: true, rejectUnauthorized: true, ...certificate }).on(
        'error',
        () => {},
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function rootFile(): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'authority-')), 'root.pem');
  await writeFile(file, authority.cert);
  return file;
}

it.each([
  ['signed by itself', () => makeCertificate(OURS)],
  ['that has expired', () => authority.issue({ ...OURS, ...days(-9, -2) })],
  ['for another address', () => authority.issue({ ...OURS, address: [10, 0, 0, 1] })],
])(
  'a certificate %s is said to be one that is not trusted, with what to write',
  async (_, make) => {
    const port = await serverWith(make());
    const root = await rootFile();
    const url = `postgres://postgres@127.0.0.1:${port}/ledger?sslmode=verify-full&sslrootcert=${root}`;
    const database = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
    onTestFinished(() => database.pool.end());
    const error = await database.pool.query('select 1').catch((reason: unknown) => reason);
    // It may be mended while a worker waits.
    expect(faultOf(error)).toBe('away');
    const refusal = explainFault(error);
    expect(refusal?.message).toMatch(/^the certificate of the database is not trusted: /);
    expect(refusal?.kind).toBe('unavailable');
    expect(phraseRemedy(refusal?.remedy ?? [], String)).toContain('sslrootcert=FILE');
  },
);

it('a server that asks for a certificate of ours is not told as one whose own is not trusted', async () => {
  const port = await serverWith({ ...authority.issue(OURS), requestCert: true });
  const url = `postgres://postgres@127.0.0.1:${port}/ledger?sslmode=verify-full&sslrootcert=${await rootFile()}`;
  const database = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
  onTestFinished(() => database.pool.end());
  const error = await database.pool.query('select 1').catch((reason: unknown) => reason);
  const refusal = explainFault(error);
  expect(refusal?.message).toMatch(/^the database takes no certificate of this program: /);
  expect(phraseRemedy(refusal?.remedy ?? [], String)).toContain('sslcert=FILE&sslkey=FILE');
});

it('a file that the address names and that is not there is named, and not the address', () => {
  const url =
    'postgres://postgres@127.0.0.1/ledger?sslmode=verify-full&sslrootcert=/nowhere/root.pem';
  const open = () => openDatabase({ url, connections: 1, onConnectionLost: () => {} });
  expect(open).toThrow(Refusal);
  expect(open).toThrow(/^a file that DATABASE_URL names cannot be read: .*\/nowhere\/root\.pem/);
});

it('a server without TLS, of which the address asks for it, is not told as one that does not answer', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write('N'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `postgres://postgres@127.0.0.1:${port}/ledger?sslmode=verify-full`;
  const database = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
  onTestFinished(() => database.pool.end());
  const error = await database.pool.query('select 1').catch((reason: unknown) => reason);
  const refusal = explainFault(error);
  expect(refusal?.message).toMatch(
    /^DATABASE_URL asks for an encrypted connection, and the server/,
  );
  expect(phraseRemedy(refusal?.remedy ?? [], String)).toContain('switch TLS on');
});

/** Asks for a login by SCRAM as a server does, and answers no more than the first word of it. */
async function serverThatAsksForPasswords() {
  const sockets = new Set<Socket>();
  const said = (code: number, text: string) => {
    const bytes = Buffer.alloc(9 + Buffer.byteLength(text));
    bytes.write('R');
    bytes.writeInt32BE(bytes.length - 1, 1);
    bytes.writeInt32BE(code, 5);
    bytes.write(text, 9);
    return bytes;
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.once('data', () => {
      socket.write(said(10, 'SCRAM-SHA-256\0\0'));
      socket.once('data', () => {
        socket.write(said(11, 'r=x,s=c2FsdA==,i=4096'));
        // It ends a connection when the other side does, and else only after a minute.
        socket.once('end', () => socket.end());
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

it.each(['postgres', 'postgres:'])(
  'a user %s without the password that the server asks for is told so, and leaves no connection',
  async (user) => {
    const { port, sockets } = await serverThatAsksForPasswords();
    const url = `postgres://${user}@127.0.0.1:${port}/ledger`;
    const database = openDatabase({ url, connections: 1, onConnectionLost: () => {} });
    onTestFinished(() => database.pool.end());
    const error = await database.pool.query('select 1').catch((reason: unknown) => reason);
    expect(explainFault(error)).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('DATABASE_URL has none'),
    });
    await expect.poll(() => sockets.size).toBe(0);
  },
);
