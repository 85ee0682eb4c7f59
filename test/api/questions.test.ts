import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { entriesAnswer, periodsAnswer, pushesAnswer } from '../../src/audit/lists-answer.ts';
import { parseInstant } from '../../src/clock.ts';
import { ingestCoverageAnswer } from '../../src/ingest/coverage/coverage-answer.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { freshnessAnswer } from '../../src/month/status/freshness-answer.ts';
import { monthTableAnswer } from '../../src/month/table/month-table-answer.ts';
import { overviewAnswer } from '../../src/reports/overview/overview-answer.ts';
import { tracesAnswer } from '../../src/reports/traces/trace-answer.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { type Api, startApi } from '../support/api.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What an outsider learns by asking a running server, as the ledger's reader. */

let database: TestDatabase;
let drop: () => Promise<void>;
let api: Api;
let reader: string;

const EVENTS = [
  nativeEvent({ event_id: 'a1', user_id: 'ann', feature: 'chat', trace_id: 't1', span_id: 's1' }),
  nativeEvent({
    ...{ event_id: 'a2', user_id: 'bob', feature: 'search', trace_id: 't1', span_id: 's2' },
    ...{ parent_span_id: 's1', occurred_at: '2026-10-15T12:00:05Z', tags: { region: 'eu' } },
  }),
  nativeEvent({
    event_id: 'a3',
    user_id: 'ann',
    feature: 'chat',
    status: 'error',
    usage: undefined,
  }),
  nativeEvent({ event_id: 'g1', tenant_id: 'globex', user_id: 'gus', agent_run_id: 'run-7' }),
  nativeEvent({ event_id: 'n1', occurred_at: '2026-11-02T00:00:00Z', trace_id: 't9' }),
];

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  for (const tenant of ['acme', 'globex']) {
    await makeTenant(database, tenant, { mode: 'live', priceBook: 'standard' });
  }
  await receiveEvents(database, EVENTS, '2026-11-03T00:00:00Z');
  const clock = () => parseInstant('2026-11-04T00:00:00Z');
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  // The server would seal between two questions, and the second answer would say more than the first.
  await sealAll(database, clock);
  api = await startApi(database, { clock });
  reader = await api.key('reader');
});

afterAll(async () => {
  await api.close();
  await drop();
});

it.each([
  ['/v1/traces', tracesAnswer],
  ['/v1/entries', entriesAnswer],
  ['/v1/periods', periodsAnswer],
  ['/v1/pushes', pushesAnswer],
  ['/v1/ingest/coverage', ingestCoverageAnswer],
  ['/v1/freshness', freshnessAnswer],
  ['/v1/overview', overviewAnswer],
  ['/v1/months/2026-10', monthTableAnswer],
])('%s answers as its schema says', async (path, answer) => {
  expect(answer.safeParse((await get(path)).json).error?.issues).toBeUndefined();
});

const get = (path: string, headers = {}) => api.ask(path, reader, { headers });

describe('usage', () => {
  it('by user and by feature is the cost of each', async () => {
    const byUser = await get('/v1/usage?by=user&tenant=acme&month=2026-10');
    expect(byUser.status).toBe(200);
    const rows = byUser.json.rows.map((row: Record<string, unknown>) => [
      row['user'],
      row['entries'],
    ]);
    expect(rows).toEqual([
      ['ann', 2],
      ['bob', 1],
    ]);
    // 1,000 × $3 + 100 × $12 a million
    expect(byUser.json.rows[1]).toMatchObject({ charge: '0.0042', input_tokens: '1000' });
    const byFeature = await get('/v1/usage?by=feature&from=2026-10-01&to=2026-11-01T00:00:00Z');
    expect(byFeature.json.rows.map((row: { feature: string }) => row.feature)).toEqual([
      null,
      'chat',
      'search',
    ]);
  });

  it('in a bucket of a day has the day, too, and several dimensions go by commas or again', async () => {
    const bucketed = await get('/v1/usage?by=feature&bucket=day&month=2026-11');
    expect(bucketed.json.by).toEqual(['day', 'feature']);
    expect(bucketed.json.rows).toMatchObject([{ day: '2026-11-02', feature: null, entries: 1 }]);
    const repeated = await get('/v1/usage?by=tenant&by=user');
    expect(repeated.json.by).toEqual((await get('/v1/usage?by=tenant,user')).json.by);
  });

  it('refuses what it does not know by name', async () => {
    const unknown = await get('/v1/usage?by=user&tennant=acme');
    expect(unknown.status).toBe(400);
    expect(unknown.headers.get('content-type')).toBe('application/problem+json');
    expect(unknown.json).toMatchObject({ kind: 'bad_request', status: 400 });
    expect(unknown.json.detail).toContain('no "tennant"');
    expect(unknown.json.remedy).toContain('tenant_id');
    expect((await get('/v1/usage?by=colour')).status).toBe(400);
  });

  it('is CSV for whoever accepts that', async () => {
    const csv = await get('/v1/usage?by=user&tenant=acme&month=2026-10', { accept: 'text/csv' });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.text.split('\r\n').slice(0, 2)).toEqual([
      expect.stringMatching(/^user,currency,entries,input_tokens/),
      expect.stringMatching(/^ann,USD,2,/),
    ]);
  });
});

describe('traces', () => {
  it('come with their spans, tokens, cost, status and metadata, the newest first', async () => {
    const { json } = await get('/v1/traces?tenant=acme&limit=2');
    expect(json.traces).toHaveLength(2);
    expect(json.traces[0]).toMatchObject({
      trace_id: 't9',
      created_at: '2026-11-02T00:00:00.000Z',
    });
    const rest = await get(`/v1/traces?tenant=acme&limit=2&cursor=${json.next_cursor}`);
    expect(rest.json).toMatchObject({ traces: [expect.anything()], next_cursor: null });
    const all = [...json.traces, ...rest.json.traces];
    const t1 = all.find((trace) => trace.trace_id === 't1');
    expect(Object.keys(t1)[0]).toBe('created_at');
    expect(t1).toMatchObject({
      ...{ status: 'ok', calls: 2, failed: 0, input_tokens: '2000', total_tokens: '2200' },
      ...{ charge: '0.0084', currency: 'USD' },
      metadata: { user_id: null, tags: { region: 'eu' } },
    });
    expect(t1.spans.map((span: { span_id: string }) => span.span_id)).toEqual(['s1', 's2']);
    expect(t1.spans[1]).toMatchObject({ parent_span_id: 's1', metadata: { user_id: 'bob' } });
    expect(all.map((trace) => trace.status)).toEqual(['ok', 'error', 'ok']);
  });

  it('of one user are those in which a call of that user is', async () => {
    const { json } = await get('/v1/traces?user=bob');
    expect(json.traces.map((trace: { trace_id: string }) => trace.trace_id)).toEqual(['t1']);
  });
});

describe('the ledger', () => {
  it('lists entries by pages that neither repeat nor leave out', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await get(`/v1/entries?limit=2${cursor}`);
      seen.push(...json.entries.map((entry: { event_id: string }) => entry.event_id));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    expect(seen.sort()).toEqual(['a1', 'a2', 'a3', 'g1', 'n1']);
    expect((await get('/v1/entries?cursor=nonsense')).json).toMatchObject({ kind: 'bad_request' });
  });

  it('tells the story of an event by its ids, and by its entry', async () => {
    const byIds = await get('/v1/events/default/a1');
    expect(byIds.json.entries).toMatchObject([{ event_id: 'a1', charge: '0.0042' }]);
    const byEntry = await get(`/v1/entries/${byIds.json.entries[0].entry_id}`);
    expect(byEntry.json).toEqual(byIds.json);
    expect((await get('/v1/events/default/nothing')).status).toBe(404);
    expect((await get('/v1/entries/ent_1')).json).toMatchObject({ kind: 'not_found', status: 404 });
  });

  it('lists periods, and runs with one of them as a tree', async () => {
    const { json } = await get('/v1/periods?month=2026-10&limit=2');
    expect(json.periods).toMatchObject([
      { tenant_id: 'acme', state: 'closed', charge_total: '0.01' },
      { tenant_id: 'globex', state: 'closed' },
    ]);
    const runs = await get('/v1/runs?tenant=globex');
    expect(runs.json.rows).toMatchObject([{ run: 'run-7', calls: 1 }]);
    const run = await get('/v1/runs/run-7');
    expect(run.json).toMatchObject([{ tenant_id: 'globex', steps: [{ kind: 'call' }] }]);
  });
});

describe('a statement', () => {
  it('comes in each form, by format or by Accept', async () => {
    const { json, headers } = await get('/v1/statements/acme/2026-10');
    expect(json).toMatchObject({ tenant_id: 'acme', total: '0.01', currency: 'USD' });
    expect(headers.get('content-type')).toBe('application/json');
    const html = await get('/v1/statements/acme/2026-10?format=html');
    expect(html.text).toMatch(/^<!doctype html>/i);
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'");
    const csv = await get('/v1/statements/acme/2026-10', { accept: 'text/csv;q=0.9, */*' });
    expect(csv.text).toMatch(/^tenant_id,period_start/);
    const pdf = await get('/v1/statements/acme/2026-10', { accept: 'application/pdf' });
    expect(pdf.text.slice(0, 5)).toBe('%PDF-');
  });

  it('has a tag by which it is not sent again', async () => {
    const first = await get('/v1/statements/acme/2026-10');
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    const again = await get('/v1/statements/acme/2026-10', { 'if-none-match': tag });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('has a proof, and is refused while its period is open', async () => {
    const proof = await get('/v1/statements/acme/2026-10/proof');
    expect(proof.status).toBe(200);
    expect(proof.text).toContain('acme');
    const open = await get('/v1/statements/acme/2026-11');
    expect(open.status).toBe(409);
    expect(open.json).toMatchObject({
      kind: 'too_early',
      remedy:
        'close it first, with POST /v1/closes; for the total so far, use GET /v1/statements/{tenant}/{month}?preview=true',
    });
  });
});

describe('what there is', () => {
  it('stands in the OpenAPI document, each route with its answer', async () => {
    const { json } = await api.ask('/openapi.json', null);
    expect(json.openapi).toBe('3.1.0');
    for (const { method, path } of ROUTES) {
      const operation = json.paths[path][method.toLowerCase()];
      expect(operation.responses[200].content['application/json'].schema, path).toBeTypeOf(
        'object',
      );
      const named = operation.parameters.filter((each: { in: string }) => each.in === 'path');
      expect(named).toHaveLength([...path.matchAll(/\{/g)].length);
    }
    const ids = Object.values<Record<string, { operationId: string }>>(json.paths).flatMap((at) =>
      Object.values(at).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const usage = json.paths['/v1/usage'].get.parameters.map((each: { name: string }) => each.name);
    expect(usage).toEqual(
      expect.arrayContaining(['by', 'tenant_id', 'from', 'to', 'month', 'bucket']),
    );
  });

  it('is shown on a page, and everything else is a problem', async () => {
    const page = await api.ask('/', null);
    expect(page.text).toContain('GET /v1/usage');
    const nothing = await api.ask('/v1/nothing', reader);
    expect([nothing.status, nothing.json.kind]).toEqual([404, 'not_found']);
    const wrong = await api.ask('/v1/usage', reader, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await get('/v1/status')).json).toMatchObject({ open_periods: expect.any(Number) });
  });
});
