import { describe, expect, it } from 'vitest';
import { type Api, freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent } from '../support/ledger.ts';

const AT = new Date().toISOString();

async function ready(): Promise<{ readonly api: Api; readonly admin: string }> {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database);
  return { api, admin: await api.key('admin') };
}

const cursorOf = (place: string) => Buffer.from(JSON.stringify([place])).toString('base64url');

describe('a list of which the row at the cursor has left', () => {
  it('goes on behind it, where its rows are numbered', async () => {
    const { api, admin } = await ready();
    const key = await api.key('ingest');
    for (let n = 1; n <= 7; n += 1) {
      await api.ask('/v1/events', key, {
        json: nativeEvent({ event_id: `e${n}`, occurred_at: AT, attempt: 0 }),
      });
    }
    const page = async (cursor: string) => {
      const { json } = await api.ask(`/v1/quarantine?limit=3${cursor}`, admin);
      const ids = json.quarantine.map((row: { quarantine_id: string }) => row.quarantine_id);
      return { ids, cursor: `&cursor=${json.next_cursor}` };
    };
    const first = await page('');
    expect(first.ids).toEqual(['1', '2', '3']);
    const dismiss = (...quarantine_ids: readonly string[]) =>
      api.ask('/v1/quarantine/dismiss', admin, {
        json: { quarantine_ids, reason: 'it was a test' },
      });
    expect((await dismiss('1', '3')).status).toBe(200);
    const second = await page(first.cursor);
    expect(second.ids).toEqual(['4', '5', '6']);
    await dismiss('2', '4', '5', '6');
    expect((await page(second.cursor)).ids).toEqual(['7']);
    await dismiss('7');
    expect((await page(second.cursor)).ids).toEqual([]);
  });

  it('is refused, where nothing says its place', async () => {
    const { api, admin } = await ready();
    const made: string[] = [];
    for (let n = 1; n <= 3; n += 1) {
      const json = { url: `https://hooks.example.com/${n}` };
      made.push((await api.ask('/v1/webhooks', admin, { json })).json.endpoint_id);
    }
    const first = await api.ask('/v1/webhooks?limit=2', admin);
    const place = `/v1/webhooks?limit=2&cursor=${first.json.next_cursor}`;
    expect((await api.ask(place, admin)).json.webhooks).toHaveLength(1);
    await api.ask(`/v1/webhooks/${made[1]}`, admin, { method: 'DELETE' });
    const next = await api.ask(place, admin);
    expect([next.status, next.json.kind]).toEqual([400, 'bad_request']);
    expect(next.json.remedy).toContain('start again');
  });
});

it.each([
  ['tenants', 'nobody'],
  ['webhooks', 'whk_000000000000'],
  ['quarantine', 'nobody'],
  ['alerts', 'nobody'],
  ['seals?last=10', 'nobody'],
])('a cursor that the list of %s never gave begins it not anew', async (list, place) => {
  const { api, admin } = await ready();
  await api.ask('/v1/tenants/acme', admin, { method: 'PUT', json: {} });
  const sign = list.includes('?') ? '&' : '?';
  const answer = await api.ask(`/v1/${list}${sign}cursor=${cursorOf(place)}`, admin);
  expect([answer.status, answer.json.kind]).toEqual([400, 'bad_request']);
});
