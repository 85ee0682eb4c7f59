import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readBytes } from '../../src/api/read-bytes.ts';
import { explainFaultOfServer } from '../../src/database/explain-fault.ts';
import { freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';

/** Whoever asks a server reads what they can do themselves, and what only those who run it can. */

it('a body that is too large is told how large it may be, and that it may be compressed', async () => {
  const limits = { sentBytes: 1000, unfoldedBytes: 5000 };
  const said = async (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const request = new Request('http://localhost/', { method: 'POST', body, headers });
    const read = await readBytes(request, limits);
    return read.kind === 'refused' ? JSON.parse(String(read.reply.body)) : read.kind;
  };
  const large = (bytes: number) => new Uint8Array(Buffer.alloc(bytes, 'a'));
  expect(await said(large(1001))).toMatchObject({
    status: 413,
    detail: 'the body is larger than 1000 bytes, which is what a request may send',
    remedy: expect.stringMatching(
      /^send less at once, or send it compressed, with Content-Encoding: gzip, .*; unfolded it may have 5000 bytes$/,
    ),
  });
  const gzip = { 'content-encoding': 'gzip' };
  const folded = (bytes: number) => new Uint8Array(gzipSync(large(bytes)));
  expect(await said(folded(5000), gzip)).toBe('bytes');
  expect(await said(folded(5001), gzip)).toMatchObject({
    status: 413,
    detail: expect.stringContaining('larger than 5000 bytes once it is unfolded'),
    remedy: expect.stringContaining('send less at once'),
  });
});

it('a database in trouble is mended by whoever runs the server, and no command is to be run again', async () => {
  const database = await freshDatabase();
  const api = await freshApi(database);
  const admin = await api.key('admin');
  await database.pool.query('alter table tenants rename to elsewhere');
  const answer = await api
    .ask('/v1/tenants', admin)
    .finally(() => database.pool.query('alter table elsewhere rename to tenants'));
  expect([answer.status, answer.json.kind]).toEqual([503, 'not_migrated']);
  expect(answer.json.remedy).toMatch(/^for the operator of this server: run /);
});

it('what is no fault of the database is not explained as one', () => {
  expect(explainFaultOfServer(new Error('another'))).toBeNull();
});
