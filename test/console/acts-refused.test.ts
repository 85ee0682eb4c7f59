import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { markResolved, raiseAlert } from '../../src/push/alert-store.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import {
  type ConsoleVisitor,
  fieldsOfAct,
  formTokenIn,
  type RunningConsole,
  startConsole,
} from '../support/console.ts';
import { count, createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import {
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from '../support/ledger.ts';

/** What a person typed is there again where it was refused, and what is long shows first what is wrong. */

let database: TestDatabase;
let drop: () => Promise<void>;
let running: RunningConsole;
let admin: ConsoleVisitor;

const clock = () => parseInstant('2026-11-02T00:00:00Z');
const TENANTS = Array.from({ length: 130 }, (_, index) => `t${String(index).padStart(3, '0')}`);

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  for (const tenant of [...TENANTS, 'acme']) {
    await makeTenant(database, tenant, { mode: 'live', priceBook: 'standard' });
  }
  running = await startConsole(database, { clock, publicUrl: 'https://usage.example.com' });
  admin = await running.visit(await running.key('admin'));
});
afterAll(async () => {
  await running.close();
  await drop();
});

it.each([
  ['an amount with a comma', 'adjust?tenant_id=acme&amount=1,000.00', 'value="1,000.00"'],
  ['a tenant by a slip', 'adjust?tenant_id=acmee&amount=-5.00', 'value="acmee"'],
  ['an instant that is none', 'close-tenant?tenant_id=acme&at=bogus', 'value="bogus"'],
])('a look says of %s that it will not be taken, and keeps it', async (_what, path, kept) => {
  const looked = await admin.get(`/console/act/${path}`);
  expect([400, 404]).toContain(looked.status);
  expect(looked.text).toContain('role="alert"');
  expect(looked.text).toContain(kept);
  expect(looked.text).not.toContain('name="reason"');
  expect(looked.text).toContain('/console/tenants');
});

it.each([
  ['remove-budget?tenant_id=acme&measure=money&per=day', 'has no such budget of money per day'],
  ['release-hold?hold_id=hold-of-nobody', 'there is no hold &quot;hold-of-nobody&quot;'],
  ['settle?tenant_id=acme&month=2026-01&amount=1.00', 'begins in 2026-01'],
  ['unsettle?identifier=spl-none', 'nothing that was settled has the identifier spl-none'],
  ['resolve-alert?alert_id=4711', 'there is no alert 4711'],
  ['revoke-key?key_id=0123456789ab', 'there is no key with the id'],
  ['keep-tenant?tenant_id=acme', 'does not leave'],
  ['default-book?book=standart', 'there is no price book &quot;standart&quot;'],
])('a look at what is not there says so, and has no button: %s', async (path, words) => {
  const looked = await admin.get(`/console/act/${path}`);
  expect([404, 409]).toContain(looked.status);
  expect(looked.text).toContain('role="alert"');
  expect(looked.text.toLowerCase()).toContain(words);
  expect(looked.text).not.toContain('name="reason"');
});

it('a look at what is not to be done any more says what became of it, and has no button', async () => {
  const of = { tenantId: 'acme', periodStart: '2026-09-01', subject: 'x', detail: 'y' };
  await raiseAlert(database, { ...of, kind: 'push_parked' }, clock());
  const [alert] = await textRows(database, 'select alert_id from push_alerts');
  const alertId = alert?.['alert_id'] ?? '';
  const resolved = { alertId: BigInt(alertId), resolution: 'credited', by: 'ada', at: clock() };
  await markResolved(database, resolved);
  await receiveEvents(database, [
    nativeEvent({ tenant_id: 'acme', event_id: 'open', occurred_at: '2026-10-20T00:00:00Z' }),
  ]);
  const settled = await admin.get(`/console/act/resolve-alert?alert_id=${alertId}`);
  expect([settled.status, settled.text]).toEqual([
    409,
    expect.stringContaining('is settled already: credited'),
  ]);
  const open = await admin.get('/console/act/settle?tenant_id=acme&month=2026-10&amount=1.00');
  expect([open.status, open.text]).toEqual([409, expect.stringContaining('is not closed')]);
  for (const { text } of [settled, open]) expect(text).not.toContain('name="reason"');
});

it('an act that is refused shows its form with all that was said, and is the same one when it is sent again', async () => {
  const path = '/console/act/adjust?tenant_id=acme&amount=-5.00';
  const long = 'r'.repeat(300);
  const form = fieldsOfAct((await admin.get(path)).text);
  const refused = await admin.send('/console/act/adjust', { ...form, reason: long });
  expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('300 characters')]);
  const again = fieldsOfAct(refused.text);
  expect(again).toEqual({ ...form, reason: long });
  const shorter = { ...again, reason: 'goodwill' };
  expect((await admin.send('/console/act/adjust', shorter)).status).toBe(200);
  expect(await count(database, "entries where kind = 'adjustment'")).toBe(1);
});

it('a form of a session that has ended is shown in the new one, and does nothing before it is sent from there', async () => {
  const path = '/console/act/adjust?tenant_id=acme&amount=-7.00';
  const before = await count(database, 'entries');
  const fields = fieldsOfAct((await admin.get(path)).text);
  const form = { ...fields, reason: 'as agreed' };
  const anew = await running.visit(await running.key('admin'));
  const refused = await anew.send('/console/act/adjust', form);
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('signed in again')]);
  const again = fieldsOfAct(refused.text);
  expect({ ...again, form_token: fields['form_token'] }).toEqual(form);
  expect(await count(database, 'entries')).toBe(before);
  expect((await anew.send('/console/act/adjust', again)).status).toBe(200);
  expect(await count(database, 'entries')).toBe(before + 1);
});

it('of many rows those that are refused come first, and all are counted', async () => {
  const at = '2026-10-05T00:00:00Z';
  await receiveEvents(
    database,
    [
      ...TENANTS.map((tenant_id) =>
        nativeEvent({ tenant_id, event_id: tenant_id, occurred_at: at }),
      ),
      nativeEvent({
        ...{ tenant_id: 't125', event_id: 'x', occurred_at: at },
        requested_model: 'nobody-priced-it',
      }),
    ],
    '2026-11-01T00:00:00Z',
  );
  await foldAll(database, clock);
  await sealAll(database, clock);
  const path = '/console/act/close?month=2026-10';
  for (const page of [await admin.get(path), await admin.act(path, 'the month is over')]) {
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/The first 100 of 13\d\. What needs a look comes first: 1 of them\./);
    expect(/<tbody><tr><th[^>]*>[\s\S]*?<\/th>/.exec(page.text)?.[0]).toContain('t125');
  }
});

it('a price book of some megabytes that was shown is confirmed, too', async () => {
  const standard = sharedBook('standard') as { models: readonly { model: string }[] };
  const [first] = standard.models;
  const models = Array.from({ length: 12_000 }, (_, index) => ({ ...first, model: `m-${index}` }));
  const document = JSON.stringify({ ...standard, book: 'large', models }, null, 2);
  expect(document.length).toBeGreaterThan(1.6 * 1024 * 1024);
  const form = new FormData();
  form.set('form_token', formTokenIn((await admin.get('/console/act/import-book')).text));
  form.set('document_file', new File([document], 'book.json', { type: 'application/json' }));
  const looked = await admin.sendForm('/console/act/import-book/look', form);
  expect(looked.status).toBe(200);
  const fields = fieldsOfAct(looked.text.slice(looked.text.indexOf('What it changes')));
  const text = (fields['document'] ?? '').replaceAll('&quot;', '"');
  const done = await admin.send('/console/act/import-book', {
    ...{ ...fields, document: text },
    reason: 'everything that is sold',
  });
  expect([done.status, await count(database, "price_books where book = 'large'")]).toEqual([
    200, 1,
  ]);
});

it('the address of a link that is given to a customer has the host of the settings, or of the console', async () => {
  const path = '/console/act/create-link?tenant_id=acme&expires_in_days=30';
  const made = await admin.act(path, 'for the customer');
  expect(made.text).toMatch(/href="https:\/\/usage\.example\.com\/usage\/slk_link_/);
  const other = await startConsole(database, { clock });
  const visitor = await other.visit(await other.key('admin'));
  const own = await visitor.act(path, 'for the customer');
  expect(own.text).toContain(`href="${other.url}/usage/slk_link_`);
  await other.close();
});
