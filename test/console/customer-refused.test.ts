import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openLog } from '../../src/log.ts';
import { type ConsoleVisitor, type RunningConsole, startConsole } from '../support/console.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';
import { wordsOf } from '../support/page-tables.ts';

/** A customer's link that leads nowhere tells them so, and tells nobody the link. */

let drop: () => Promise<void>;
let running: RunningConsole;
let visitor: ConsoleVisitor;
let link: string;
/** What each question to the database meets in place of an answer. */
let fault: Error | null = null;
let logged = '';

beforeAll(async () => {
  const made = await createDatabase();
  drop = made.drop;
  await importBooks(made.database, 'standard');
  await makeTenant(made.database, 'acme', { priceBook: 'standard' });
  const { kysely } = made.database;
  const database: Database = Object.defineProperty({ ...made.database }, 'kysely', {
    get() {
      if (fault !== null) throw fault;
      return kysely;
    },
  });
  const destination = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  running = await startConsole(database, { log: openLog('debug', destination) });
  visitor = await running.visit(null);
  link = await running.key('link', 'acme');
});

afterAll(async () => {
  await running.close();
  await drop();
});

it('says that a link has ended, and leads no customer to the console', async () => {
  const { status, text, headers } = await visitor.get(`/usage/${link}x`);
  expect(status).toBe(404);
  expect(wordsOf(text)).toContain('This link is not known, or it has ended.');
  expect(text).not.toContain('href="/console"');
  const policy = headers.get('content-security-policy');
  expect(policy).toContain('frame-ancestors https://app.example.com');
});

it('says nothing to a customer of a database that is away, and the reason to the log', async () => {
  const away = 'connect ECONNREFUSED 10.0.0.7:5432';
  fault = Object.assign(new Error(away), { code: 'ECONNREFUSED' });
  const { status, text } = await visitor.get(`/usage/${link}`);
  fault = null;
  expect(status).toBe(503);
  expect(wordsOf(text)).toContain('This page cannot be shown now.');
  expect(text).not.toMatch(/10\.0\.0\.7|DATABASE_URL|href="\/console"/);
  expect(logged).toContain(away);
});

it('writes no link into the log, whatever goes wrong behind it', async () => {
  fault = new Error('a fault of ours');
  expect((await visitor.get(`/usage/${link}`)).status).toBe(500);
  fault = null;
  expect((await visitor.get(`/usage/${link}/nothing`)).status).toBe(404);
  expect(logged).toContain('a fault of ours');
  expect(logged).toContain('/nothing"');
  expect(logged).not.toContain(link);
  // Which link it was can be looked up by its id.
  expect(logged).toContain(link.slice(0, 'slk_link_12345678'.length));
});
