import { describe, expect, it } from 'vitest';
import { pause } from '../../src/clock.ts';
import { quarantinePageAnswer } from '../../src/ingest/quarantine/quarantine-answer.ts';
import { RUN_GROUPS, RUN_ORDERS } from '../../src/reports/runs/runs-answer.ts';
import { type Answered, type Api, freshApi } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

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

it('a page of the quarantine reads no more bodies than it shows, and one', async () => {
  const database = await freshDatabase();
  const read: unknown[] = [];
  const kysely = database.kysely.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      read.push(...result.rows.filter((row) => 'body' in row));
      return result;
    },
  });
  const bad = [1, 2, 3, 4, 5, 6].map((n) => nativeEvent({ event_id: `e${n}`, attempt: 0 }));
  await receiveEvents(database, bad, AT);
  const api = await freshApi({ ...database, kysely });
  const admin = await api.key('admin');
  const first = await api.ask('/v1/quarantine?limit=2', admin);
  const rest = await api.ask(`/v1/quarantine?limit=2&cursor=${first.json.next_cursor}`, admin);
  const rows = [first, rest].flatMap(({ json }) => quarantinePageAnswer.parse(json).quarantine);
  expect(rows.map((row) => row.quarantine_id)).toEqual(['1', '2', '3', '4']);
  expect(read).toHaveLength(6);
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

describe('the runs', () => {
  /** Runs that fail, that all come to the same, and calls outside any; by two tenants with runs of the same names. */
  const runs = Array.from({ length: 9 }, (_, run) =>
    nativeEvent({
      ...{ event_id: `r${run}`, tenant_id: `t${run % 2}`, occurred_at: AT, response_id: null },
      ...(run === 8 ? {} : { agent_run_id: `run-${run >> 1}` }),
      ...(run % 3 === 0 ? { status: 'error', error_type: 'timeout' } : {}),
      feature: `feature-${run % 5}`,
    }),
  );

  async function readAll(ask: (path: string) => Promise<Answered>, query: string) {
    const rows: unknown[] = [];
    for (let cursor: string | null = null, page = 0; page === 0 || cursor !== null; page += 1) {
      const place = cursor === null ? '' : `&cursor=${cursor}`;
      const { json } = await ask(`/v1/runs?${query}&limit=2${place}`);
      rows.push(...json.rows);
      expect(json.rows.length).toBeLessThanOrEqual(2);
      cursor = json.next_cursor;
    }
    return rows;
  }

  it('are read page by page in every order, each once', async () => {
    const { api, admin } = await ready();
    await api.ask('/v1/events', await api.key('ingest'), { json: { events: runs } });
    const ask = (path: string) => api.ask(path, admin);
    for (const by of RUN_GROUPS) {
      for (const order of RUN_ORDERS) {
        const query = `by=${by}&order=${order}`;
        const whole = await ask(`/v1/runs?${query}`);
        expect(whole.json.next_cursor).toBeNull();
        expect(whole.json.rows_in_all).toBe(whole.json.rows.length);
        expect(await readAll(ask, query), query).toEqual(whole.json.rows);
      }
    }
    const csv = await api.ask('/v1/runs?limit=2', admin, { headers: { accept: 'text/csv' } });
    expect(csv.headers.get('next-cursor')).not.toBeNull();
  });

  it('of later pages are of the instant of the first, whatever comes meanwhile', async () => {
    const { api, admin } = await ready();
    const key = await api.key('ingest');
    await api.ask('/v1/events', key, { json: { events: runs } });
    const ask = (path: string) => api.ask(path, admin);
    const query = 'by=run&order=cost';
    const whole = (await ask(`/v1/runs?${query}`)).json.rows;
    const first = await ask(`/v1/runs?${query}&limit=3`);
    await pause(5);
    const large = { usage: { input_tokens: 1_000_000, output_tokens: 1 }, response_id: null };
    const late = nativeEvent({ event_id: 'late', occurred_at: AT, agent_run_id: 'late', ...large });
    expect((await api.ask('/v1/events', key, { json: late })).status).toBe(202);
    const next = await ask(`/v1/runs?${query}&cursor=${first.json.next_cursor}`);
    expect([...first.json.rows, ...next.json.rows]).toEqual(whole);
    expect(next.json.as_of).not.toBeNull();
  });

  it.each([['2026-13-01T00:00:00Z', '1'], ['+275760-09-13T00:00:00Z', '1'], ['nobody']])(
    'a cursor that they never gave, such as %s, is refused',
    async (...place) => {
      const { api, admin } = await ready();
      const cursor = Buffer.from(JSON.stringify(place)).toString('base64url');
      const answer = await api.ask(`/v1/runs?cursor=${cursor}`, admin);
      expect([answer.status, answer.json.kind]).toEqual([400, 'bad_request']);
    },
  );
});
