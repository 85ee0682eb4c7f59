import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listBudgets } from '../../src/budgets/list-budgets.ts';
import { setBudget } from '../../src/budgets/set-budget.ts';
import { exactPico } from '../../src/money.ts';
import { present } from '../../src/present.ts';
import { reportUsage } from '../../src/reports/report-usage.ts';
import { cli } from '../support/cli.ts';
import {
  type ConsoleVisitor,
  formTokenIn,
  type RunningConsole,
  startConsole,
} from '../support/console.ts';
import { CONSOLE_NOW, fillForConsole } from '../support/console-ledger.ts';
import { count, createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { nativeEvent, receiveEvents, sharedBook } from '../support/ledger.ts';

/** The console and the customer's page over one filled ledger: who sees what, and what an act does. */

let database: TestDatabase;
let drop: () => Promise<void>;
let running: RunningConsole;
let admin: ConsoleVisitor;
let reader: ConsoleVisitor;
let link: string;

const clock = () => CONSOLE_NOW;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await fillForConsole(database);
  running = await startConsole(database, { clock });
  admin = await running.visit(await running.key('admin'));
  reader = await running.visit(await running.key('reader'));
  link = await running.key('link', 'acme');
});
afterAll(async () => {
  await running.close();
  await drop();
});

/** What a person reads of a page. */
const plainText = (text: string) => text.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

/** A picture of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Every page that can be reached from one by links, forms left out. */
async function walk(visitor: ConsoleVisitor, from: string): Promise<ReadonlyMap<string, string>> {
  const seen = new Map<string, string>();
  const waiting = [from];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const shape = path
      .replace(/ent_\d+/, 'ent')
      .replace(/\/lines\/\d+/, '/lines/n')
      .replace(/\?.*/, '');
    if (seen.has(shape)) continue;
    const { status, text, headers } = await visitor.get(path);
    // Without a key of Stripe's the server says so.
    const expected = /act\/(?:push|run-month)/.test(path) ? [200, 503] : [200];
    expect([path, expected.includes(status) || status]).toEqual([path, true]);
    if (status !== 200 || !headers.get('content-type')?.startsWith('text/html')) continue;
    seen.set(shape, text);
    if (/\/(?:html|proof)$/.test(path)) continue;
    expect([path, text.length < 100_000]).toEqual([path, true]);
    const found = [...text.matchAll(/href="(\/[^"#]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    );
    waiting.push(...found.filter((href) => !href.includes('/assets/')));
  }
  return seen;
}

describe('walking every link', () => {
  it('an admin finds a page behind each, of every kind, and none with what a name would inject', async () => {
    const seen = await walk(admin, '/console');
    expect([...seen.keys()]).toEqual(
      expect.arrayContaining([
        '/console/tenants/acme',
        '/console/month',
        '/console/act/adjust',
        '/console/quarantine/1',
        '/console/entries/ent',
        '/console/statements/acme/2026-10/lines/n',
        '/console/runs/run-of-acme',
      ]),
    );
    for (const [path, text] of seen) {
      expect([path, text.includes('Acme <b>')]).toEqual([path, false]);
      if (!/\/(?:html|proof)$/.test(path)) {
        expect([path, / style="| on\w+="|<script>|<style>/.exec(text)?.[0]]).toEqual([
          path,
          undefined,
        ]);
      }
    }
  });

  it('a reader finds no act, and is refused each', async () => {
    const seen = await walk(reader, '/console');
    expect([...seen.values()].some((text) => text.includes('/console/act/push'))).toBe(false);
    expect([...seen.keys()].filter((path) => path.startsWith('/console/act/'))).toEqual([]);
    expect((await reader.get('/console/act/adjust')).status).toBe(403);
    expect((await reader.get('/console/exports/2026-10/nothing.csv')).status).toBe(404);
  });

  it.each(['link', 'session'])(
    'a customer by its %s meets no foreign row, no cost, and not the console',
    async (by) => {
      const visitor = await running.visit(
        by === 'session' ? await running.key('tenant', 'acme') : null,
      );
      const from = by === 'session' ? '/usage/mine' : `/usage/${link}`;
      const seen = await walk(visitor, from);
      expect(seen.size).toBeGreaterThan(2);
      const all = [...seen.values()].join('\n');
      expect(all).toContain('feature-of-acme');
      expect(all).not.toMatch(/globex|azure|>Cost<|>Margin</);
      for (const path of [
        ...['/console', '/console/tenants/globex', '/console/act/adjust'],
        ...['/console/exports', '/console/exports/2026-10/focus.csv'],
        ...['/console/runs/run-of-globex', '/console/statements/globex/2026-10/html'],
      ]) {
        expect((await visitor.get(path)).status).toBe(303);
      }
      expect(
        (await visitor.get(`${from}/statements/2026-10/pdf`)).headers.get('content-type'),
      ).toBe('application/pdf');
    },
  );
});

describe("a customer's link", () => {
  it('stands in the frames of the named origins alone', async () => {
    const visitor = await running.visit(null);
    const page = await visitor.get(`/usage/${link}`);
    expect(page.headers.get('content-security-policy')).toContain(
      'frame-ancestors https://app.example.com',
    );
    expect(page.headers.get('x-frame-options')).toBeNull();
  });

  it('that is unknown or revoked opens nothing, and neither does a key of the API in its place', async () => {
    const visitor = await running.visit(null);
    const revoked = await running.key('link', 'acme');
    const id = revoked.split('_')[2];
    await cli(['key', 'revoke', id ?? ''], { DATABASE_URL: database.url });
    for (const door of [
      'slk_link_abcdefgh_x',
      revoked,
      await running.key('tenant', 'acme'),
      await running.key('admin'),
    ]) {
      expect((await visitor.get(`/usage/${door}`)).status).toBe(404);
    }
  });

  it('writes figures and dates in the language of the browser', async () => {
    const response = await fetch(`${running.url}/usage/${link}`, {
      headers: { 'accept-language': 'de-DE,de;q=0.9' },
    });
    expect(await response.text()).toContain('November 2026 so far');
    const [, shown] =
      /class="amount "[^>]*>([^<]+)</.exec(
        await (
          await fetch(`${running.url}/usage/${link}`, { headers: { 'accept-language': 'de-DE' } })
        ).text(),
      ) ?? [];
    expect(shown).toMatch(/^\d+,\d\d\s\$$/);
  });

  it('writes the axes and the figures of the chart in it, too', async () => {
    const response = await fetch(`${running.url}/usage/${link}`, {
      headers: { 'accept-language': 'de-DE' },
    });
    const text = await response.text();
    expect(text).toMatch(/class="axis"[^>]*>1\. Nov\.?</);
    expect(text).toMatch(/class="axis"[^>]*>\d+,\d+\s\$</);
    expect(text).toMatch(/<th scope="row">1\. Nov\.?<\/th><td class="figure">\d+,\d\d/);
  });

  it('has all statements as one table, and none of another tenant', async () => {
    const visitor = await running.visit(null);
    expect((await visitor.get(`/usage/${link}`)).text).toContain('/statements/all.csv');
    const all = await visitor.get(`/usage/${link}/statements/all.csv`);
    expect(all.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [head = '', ...rows] = all.text.trim().split('\r\n');
    expect(head).toMatch(/^tenant_id,period_start,/);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.filter((row) => !row.startsWith('acme,2026-10-01,'))).toEqual([]);
  });
});

it('the overview and the list of tenants show what the command line reports', async () => {
  const asked = { by: ['tenant' as const], tenant_id: null, month: null, as_of: null };
  const days = { from: Date.parse('2026-11-01T00:00:00Z'), to: Date.parse('2026-12-01T00:00:00Z') };
  const { rows } = await reportUsage({ database, clock }, { ...asked, ...days });
  const { text } = await reader.get('/console/tenants');
  const own = rows.filter(({ tenant }) => tenant === 'acme' || tenant === 'globex');
  expect(own.length).toBe(2);
  for (const { charge } of own) expect(text).toContain(`value="${charge}"`);
  const all = await reportUsage({ database, clock }, { ...asked, ...days, by: [] });
  expect((await reader.get('/console')).text).toContain(`value="${all.rows[0]?.charge}"`);
});

it('tenants are searched, and sorted by every column', async () => {
  expect((await reader.get('/console/tenants?q=glob')).text).not.toContain('/console/tenants/acme');
  const order = async (sort: string) =>
    [
      ...(await reader.get(`/console/tenants?sort=${sort}`)).text.matchAll(
        /<th scope="row"><a href="\/console\/tenants\/(\w+)"/g,
      ),
    ].map(([, id]) => id);
  expect(await order('tenant')).toEqual(['acme', 'globex', 'unattributed']);
  expect(await order('-tenant')).toEqual(['unattributed', 'globex', 'acme']);
});

describe('an act', () => {
  const hidden = (text: string, name: string) =>
    new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '';

  it('shows its difference first, asks why, acts once, and names who did it', async () => {
    const adjustments = () => count(database, "entries where kind = 'adjustment'");
    const form = await admin.get('/console/act/adjust?tenant_id=acme&amount=-12.00');
    expect(form.text).toContain('credited');
    expect(await adjustments()).toBe(0);
    const fields = {
      tenant_id: 'acme',
      amount: '-12.00',
      form_token: formTokenIn(form.text),
      form_id: hidden(form.text, 'form_id'),
    };
    expect((await admin.send('/console/act/adjust', fields)).status).toBe(400);
    const reason = 'Outage of 9 November';
    expect(
      (await admin.send('/console/act/adjust', { ...fields, reason, form_token: 'guessed' }))
        .status,
    ).toBe(403);
    expect(await adjustments()).toBe(0);
    for (const _ of [1, 2]) {
      const done = await admin.send('/console/act/adjust', { ...fields, reason });
      expect([done.status, done.text.includes('Recorded as the act of admin')]).toEqual([
        200,
        true,
      ]);
    }
    expect(
      await textRows(database, "select reason, actor from entries where kind = 'adjustment'"),
    ).toEqual([{ reason, actor: 'admin' }]);
    expect((await admin.get('/console/acts')).text).toContain(reason);
    expect((await reader.send('/console/act/adjust', { ...fields, reason })).status).toBe(403);
  });

  it('answers a request to raise a limit from the overview, and the journal says who and why', async () => {
    const { text } = await admin.get('/console');
    expect(text).toContain('A launch &lt;b&gt;tomorrow&lt;/b&gt;');
    expect((await reader.get('/console')).text).not.toContain('act/approve-raise');
    const [, path = ''] = /href="(\/console\/act\/approve-raise[^"]*)"/.exec(text) ?? [];
    const form = await admin.get(path.replaceAll('&amp;', '&'));
    expect(form.text).toMatch(/The limit is <b>\$2\.50<\/b> then/);
    const fields = {
      ...{ request_id: '1', limit: '2.00', reason: 'As far as was agreed' },
      ...{ form_token: formTokenIn(form.text), form_id: hidden(form.text, 'form_id') },
    };
    expect((await admin.send('/console/act/approve-raise', fields)).text).toContain('$2.00');
    expect(await textRows(database, 'select amount, set_by from budgets')).toEqual([
      { amount: '2000000000000', set_by: 'admin' },
    ]);
    expect(
      await textRows(
        database,
        "select of_table, actor, reason from changes where act = 'budget approve' order by of_table",
      ),
    ).toEqual(
      ['budget_raises', 'budgets'].map((of_table) => ({
        ...{ of_table, actor: 'admin', reason: 'As far as was agreed' },
      })),
    );
    expect((await admin.get('/console')).text).not.toContain('act/approve-raise');
  });

  it('on the quarantine takes many at once', async () => {
    const query = '/console/act/dismiss?quarantine_ids=1&quarantine_ids=2';
    const form = await admin.get(query);
    const fields = {
      quarantine_ids: hidden(form.text, 'quarantine_ids'),
      reason: 'Made up by a test',
      form_token: formTokenIn(form.text),
      form_id: hidden(form.text, 'form_id'),
    };
    expect(fields.quarantine_ids).toBe('1,2');
    expect((await admin.send('/console/act/dismiss', fields)).text).toContain('2 dismissed');
    expect(
      await textRows(
        database,
        "select actor, reason from changes where of_table = 'quarantine' and reason is not null limit 1",
      ),
    ).toEqual([{ actor: 'admin', reason: 'Made up by a test' }]);
  });

  it('moves the usage of a name that was a slip, after its difference was shown', async () => {
    const path = '/console/act/move-usage?from_tenant=globex&tenant_id=acme&month=2026-11';
    const standing = "entries where tenant_id = 'acme' and event_id like 'globex-2026-11-%'";
    expect((await admin.get(path)).text).toMatch(/Who wins and who loses[\s\S]*globex/);
    expect(await count(database, standing)).toBe(0);
    expect((await admin.act(path, 'It was a slip')).text).toContain('Recorded as the act of admin');
    expect(await count(database, standing)).toBe(17);
    const leaves = '/console/act/close-tenant?tenant_id=acme&at=2026-11-18T00:00:00Z';
    expect((await admin.get(leaves)).text).toContain('its last period begins 2026-11-01');
    expect((await admin.get('/console/act/release-hold?hold_id=h')).text).toContain(
      'There is no hold',
    );
  });

  it('that imports a book shows what it changes first, from a file that was chosen', async () => {
    const before = await count(database, 'price_books');
    const form = await admin.get('/console/act/import-book');
    const document = JSON.stringify(sharedBook('standard-2026-10-15'));
    const body = new FormData();
    body.set('form_token', formTokenIn(form.text));
    body.set('document', '');
    body.set('document_file', new File([document], 'book.json', { type: 'application/json' }));
    const shown = await admin.sendForm('/console/act/import-book/look', body);
    expect(shown.text).toMatch(/would import[\s\S]*gpt-4o[\s\S]*3\.00[\s\S]*4\.00/);
    expect(await count(database, 'price_books')).toBe(before);

    body.set('month', '2026-10');
    const looked = await admin.sendForm('/console/act/what-if/look', body);
    expect(looked.text).toMatch(/2 tenants? pays?|tenants? pays? less, \d+ more/);
    expect(looked.text).not.toContain('name="reason"');
    const fields = { month: '2026-10', reason: 'x', form_token: formTokenIn(looked.text) };
    expect((await admin.send('/console/act/what-if', { ...fields, form_id: 'a' })).status).toBe(
      400,
    );
    expect((await admin.sendForm('/console/act/import-book/look', new FormData())).status).toBe(
      403,
    );
    const cut = { 'content-type': 'multipart/form-data; boundary=x' };
    expect((await admin.send('/console/act/import-book/look', {}, cut)).status).toBe(400);
  });

  it('sets a budget of tokens, changes nothing before that, and takes it away again', async () => {
    const of = 'tenant_id=globex&per=day&tags=team%3Dsearch';
    const budgets = "budgets where tenant_id = 'globex'";
    const form = await admin.get(`/console/act/set-budget?${of}&kind=soft&tokens=5000`);
    expect(form.text).toMatch(/A soft budget of <b>5000 tokens<\/b> a day/);
    expect(await count(database, budgets)).toBe(0);
    const done = await admin.act(
      `/console/act/set-budget?${of}&kind=soft&tokens=5000`,
      'As agreed',
    );
    expect(done.text).toContain('The budget is set');
    expect(
      await textRows(database, `select measure, amount, tags::text as tags from ${budgets}`),
    ).toEqual([{ measure: 'tokens', amount: '5000', tags: '{"team": "search"}' }]);
    const page = await admin.get('/console/tenants/globex');
    const [, path = ''] = /href="(\/console\/act\/remove-budget[^"]*)"/.exec(page.text) ?? [];
    expect((await admin.get(path.replaceAll('&amp;', '&'))).text).toContain('5,000 tokens');
    const gone = await admin.act(path.replaceAll('&amp;', '&'), 'No longer');
    expect(gone.text).toContain('The budget is taken away');
    expect(await count(database, budgets)).toBe(0);
  });

  it('changes of a budget what the form says, and leaves the rest as it stands', async () => {
    const of = 'tenant_id=acme&per=run&feature=guarded';
    const key = { tenant_id: 'acme', per: 'run', feature: 'guarded', tags: null } as const;
    const whole = { ...key, user_id: null, agent_run_id: null, tokens: null, actor: 'a test' };
    const parts = { database, clock: () => CONSOLE_NOW };
    await setBudget(parts, {
      ...{ ...whole, kind: 'soft', on_unavailable: 'allow', priced_only: true },
      ...{ amount: exactPico('100'), thresholds: [50, 90], loop: { verdict: 'deny', steps: 5 } },
    });
    const stands = async () => {
      const budgets = await listBudgets(parts, { tenant_id: 'acme', as_of: null });
      const found = budgets.find(({ feature }) => feature === 'guarded');
      const { times: _times, ...budget } = present(found, 'the budget');
      return budget;
    };
    const before = await stands();
    const page = await admin.get('/console/tenants/acme');
    const [, link = ''] =
      /href="(\/console\/act\/set-budget[^"]*guarded[^"]*)"/.exec(page.text) ?? [];
    const path = link.replaceAll('&amp;', '&');
    const form = await admin.get(path);
    expect(form.text).toMatch(/name="thresholds" value="50,90"/);
    expect(form.text).toMatch(
      /<option value="deny" selected>deny<\/option>[\s\S]*name="loop_steps" value="5"/,
    );
    const looked = await admin.get(`${path}&amount=200`);
    expect(looked.text).toContain('Nothing but the limit.');
    expect((await admin.act(`${path}&amount=200`, 'More')).status).toBe(200);
    expect(await stands()).toEqual({ ...before, limit: '200' });

    const other = `/console/act/set-budget?${of}&amount=200&loop=nothing&thresholds=none&kind=hard`;
    const difference = plainText((await admin.get(other)).text);
    expect(difference).toContain('Kind soft hard');
    expect(difference).toContain('Told at 50 %, 90 % none');
    expect(difference).toContain('A run that repeats itself deny after 5 calls nothing');
    expect(difference).not.toContain('Models without a price admitted');
    await admin.act(other, 'As agreed');
    const changed = { kind: 'hard', loop: null, thresholds: [], limit: '200' };
    expect(await stands()).toEqual({ ...before, ...changed });
    const alone = await admin.get(`/console/act/set-budget?${of}&amount=1&user_id=x&loop_steps=3`);
    expect([alone.status, alone.text]).toEqual([
      400,
      expect.stringContaining('Choose warn or deny'),
    ]);
  });

  it('names who sends the statements, with a picture, and takes a name away by a dash', async () => {
    const form = await admin.get('/console/act/set-issuer');
    const body = new FormData();
    body.set('form_token', formTokenIn(form.text));
    body.set('name', 'Example <i>Ltd</i>');
    body.set('logo_file', new File([PIXEL], 'logo.png', { type: 'image/png' }));
    const shown = await admin.sendForm('/console/act/set-issuer/look', body);
    expect(shown.text).toMatch(/none[\s\S]*Example &lt;i&gt;[\s\S]*PNG, 1 × 1 pixels/);
    expect(await count(database, 'issuer')).toBe(0);
    const fields = {
      ...{ name: hidden(shown.text, 'name').replaceAll('&lt;', '<').replaceAll('&gt;', '>') },
      ...{ logo: hidden(shown.text, 'logo'), reason: 'Founded' },
      ...{ form_token: formTokenIn(shown.text), form_id: hidden(shown.text, 'form_id') },
    };
    expect((await admin.send('/console/act/set-issuer', fields)).text).toContain('PNG, 1 × 1');
    expect((await admin.get(`/usage/${link}`)).text).toContain('Example &lt;i&gt;Ltd');
    const anew = { ...fields, name: '-', form_id: 'anew', reason: 'Renamed' };
    expect((await admin.send('/console/act/set-issuer', anew)).text).toMatch(/Name[^<]*<.*none/);
  });

  it('adds a receiver of webhooks, whose secret is shown once, and removes it; a reader sees none', async () => {
    const path = '/console/act/add-webhook?url=https://example.com/hook&events=period.closed';
    const added = await admin.act(path, 'The shop asked');
    expect(added.text).toMatch(/<pre>whsec_/);
    expect((await reader.get('/console/webhooks')).status).toBe(403);
    const page = await admin.get('/console/webhooks');
    expect(page.text).toMatch(/example\.com\/hook[\s\S]*period\.closed/);
    const [, id = ''] = /remove-webhook\?endpoint_id=(whk_\w+)/.exec(page.text) ?? [];
    expect((await admin.act(`/console/act/disable-webhook?endpoint_id=${id}`, 'a')).text).toContain(
      'disabled',
    );
    await admin.act(`/console/act/remove-webhook?endpoint_id=${id}`, 'Moved');
    expect((await admin.get('/console/webhooks')).text).toContain('Nobody is told of anything');
    expect((await admin.get('/console/act/test-webhook?endpoint_id=whk_0')).status).toBe(404);
  });

  it('divides a shared spend after its shares were shown, and takes the division back', async () => {
    const path =
      '/console/act/allocate?pool=gateway&month=2026-10&amount=12.00&by=activity&billed=no';
    expect((await admin.get(path)).text).toMatch(/not posted yet[\s\S]*acme/);
    expect(await count(database, "entries where kind = 'allocation'")).toBe(0);
    expect((await admin.act(path, 'The gateway of October')).text).toContain('divided');
    const posted = await count(database, "entries where kind = 'allocation'");
    expect(posted).toBeGreaterThan(0);
    expect((await admin.get('/console/backtests')).text).toMatch(/gateway[\s\S]*stands/);
    const back = '/console/act/reverse-pool?pool=gateway&month=2026-10';
    expect((await admin.act(back, 'Was counted twice')).text).toContain('taken back');
    expect(await count(database, "entries where kind = 'allocation'")).toBe(2 * posted);
  });

  it('gives calls of nobody to a tenant, and erases bodies that were dismissed', async () => {
    const nobodys = { event_id: 'of-nobody', tenant_id: undefined, feature: 'lost' };
    const event = nativeEvent({ ...nobodys, occurred_at: '2026-11-12T00:00:00Z' });
    await receiveEvents(database, [event], '2026-11-18T09:59:30Z');
    const page = await admin.get('/console/tenants/unattributed');
    expect(page.text).toContain('/console/act/reattribute');
    const path = '/console/act/reattribute?tenant_id=globex&feature=lost';
    expect((await admin.get(path)).text).toContain('1 entry that has no tenant');
    const standing = "entries where tenant_id = 'globex' and event_id = 'of-nobody'";
    expect(await count(database, standing)).toBe(0);
    await admin.act(path, 'It was a job of theirs');
    expect(await count(database, standing)).toBe(1);
    const purge = await admin.get('/console/act/purge?before=2026-11-19');
    expect(purge.text).toContain('2 dismissed events');
    expect((await admin.act('/console/act/purge?before=2026-11-19', 'As we said')).text).toContain(
      '2 bodies erased',
    );
    expect((await admin.get('/console/act/unpark?identifier=none')).text).toContain(
      'not among those that are parked',
    );
  });

  it('that is a re-rating shows who wins and loses before it is posted', async () => {
    const before = await count(database, 'entries');
    const { text } = await admin.get('/console/act/rerate?month=2026-11');
    expect(text).toMatch(/entries are looked at\. \d+ tenants? pays? less, \d+ more/);
    expect(await count(database, 'entries')).toBe(before);
  });
});
