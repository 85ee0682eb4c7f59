import { expect, it } from 'vitest';
import { startConsole } from '../support/console.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

/** What statements call a tenant: operators see it, search by it and set it. */

it('a tenant is found and shown by the name on its statements, which a form sets and a dash clears', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard');
  await makeTenant(database, 'acct-4711', { mode: 'live', priceBook: 'standard' });
  await makeTenant(database, 'acct-4712');
  const running = await startConsole(database);
  try {
    const admin = await running.visit(await running.key('admin'));
    const of = (more: Readonly<Record<string, string>>) =>
      `/console/act/set-tenant?${new URLSearchParams({ tenant_id: 'acct-4711', ...more })}`;
    const found = async (q: string) => (await admin.get(`/console/tenants?q=${q}`)).text;

    // when it is named
    const named = { name: 'Müller Söhne KG', contact: 'Ann', address: 'Weg 1\n10115 Berlin' };
    const shown = await admin.get(of(named));
    expect(shown.text).toContain('<b>Müller Söhne KG</b>');
    const done = await admin.act(of({ ...named, anchor_day: '5' }), 'It told us its name');
    expect(done.text).toContain('Recorded as the act of');

    // then it is known by that
    expect(
      await textRows(database, "select name, contact, address from tenants where name <> ''"),
    ).toEqual([named]);
    for (const q of ['m%C3%BCller', 'ann']) {
      expect(await found(q)).toContain('Müller Söhne KG');
      expect(await found(q)).not.toContain('acct-4712');
    }
    const page = await admin.get('/console/tenants/acct-4711');
    expect(page.text).toMatch(/Name on statements<\/dt><dd><bdi>Müller[^<]*</);
    expect(page.text).toContain('Weg 1, 10115 Berlin');

    // and a dash takes the name away, and nothing else
    await admin.act(of({ name: '-' }), 'It was another one');
    expect(await found('m%C3%BCller')).toContain('No tenant has this');
    expect((await admin.get('/console/tenants/acct-4711')).text).toContain('10115 Berlin');
  } finally {
    await running.close();
  }
});
