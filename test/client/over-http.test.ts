import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { ClientOptions, Loss, NewEvent, Trouble } from '../../src/client/client.ts';
import { openClient } from '../../src/client/client.ts';
import {
  BudgetExceeded,
  BudgetUnavailable,
  ReserveRefused,
} from '../../src/client/guard/budget-refusals.ts';
import { withUsage } from '../../src/client/usage-scope.ts';
import { systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import type { Api } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import { putBudget } from '../support/budgets.ts';
import { count, createDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant } from '../support/ledger.ts';

let database: Database;
let api: Api;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const created = await createDatabase();
  database = created.database;
  await importBooks(database, 'standard', 'cost');
  for (const tenant of ['acme', 'globex', 'tiny']) await makeTenant(database, tenant);
  api = await startApi(database);
  closing.push(api.close, created.drop);
});
afterAll(async () => {
  for (const close of closing) await close();
});

const usageEvent = (change: Partial<NewEvent> = {}): NewEvent => ({
  ...{ occurred_at: new Date().toISOString(), status: 'ok', requested_model: 'gpt-4o' },
  ...{ tenant_id: 'acme', usage: { input_tokens: 1000, output_tokens: 100 } },
  ...change,
});

function open(key: string, change: Partial<ClientOptions> = {}) {
  const losses: Loss[] = [];
  const troubles: Trouble[] = [];
  const usage = openClient({
    server: { url: api.url, key },
    folder: null,
    flushMs: 5,
    onLost: (loss) => losses.push(loss),
    onTrouble: (trouble) => troubles.push(trouble),
    ...change,
  });
  onTestFinished(async () => void (await usage.close({ deadlineMs: 1000 })));
  return { usage, losses, troubles };
}

/** What stands before a server of a company: it answers every request with a page of its own. */
async function startLogin(kind: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (kind === 'an empty 207') response.writeHead(207).end();
      else if (kind === 'a challenge with status 202')
        response.writeHead(202).end('<html>Are you human?</html>');
      else if (kind === 'a page' || request.url === '/login') {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>');
      } else response.writeHead(302, { location: '/login' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const countOf = (where: string) => count(database, `entries where ${where}`);

describe('events over HTTP', () => {
  it('are in the ledger when the client is told so, packed and compressed as for the queue', async () => {
    const { usage } = open(await api.key('ingest'));
    for (let n = 0; n < 300; n += 1) {
      usage.record(usageEvent({ event_id: `http-${n}`, feature: 'packed' }));
    }
    expect(await usage.flush()).toBe(true);
    expect(usage.status()).toMatchObject({ accepted: 300, sent: 300, lost: 0 });
    expect(await countOf(`feature = 'packed'`)).toBe(300);
  });

  it('that the key may not send are lost by name, and those beside them are not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spanledger-http-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { usage, losses } = open(await api.key('ingest', { tenants: ['acme'] }), { folder });
    usage.record(usageEvent({ event_id: 'ours', feature: 'scoped' }));
    usage.record(usageEvent({ event_id: 'theirs', feature: 'scoped', tenant_id: 'globex' }));
    expect(await usage.flush()).toBe(true);
    usage.record(usageEvent({ event_id: 'alone', feature: 'scoped', tenant_id: 'globex' }));
    expect(await usage.flush()).toBe(true);
    expect(usage.status()).toMatchObject({ sent: 1, lost: 2 });
    expect(losses.map(({ reason, setAside }) => [reason, setAside])).toEqual([
      ['the queue refused its message: the key may not name its tenant', true],
      ['the queue refused its message: the key may not name its tenant', true],
    ]);
    expect(readFileSync(join(folder, 'set-aside.jsonl'), 'utf8')).toMatch(/theirs.*\n.*alone/);
    expect(await countOf(`feature = 'scoped'`)).toBe(1);
  });

  it('wait on disk while the key or the server is none, and arrive when it is mended', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spanledger-http-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const first = open(await api.key('reader'), { folder });
    first.usage.record(usageEvent({ event_id: 'waits', feature: 'waited' }));
    expect(await first.usage.flush({ deadlineMs: 200 })).toBe(false);
    expect(String(first.troubles[0]?.error)).toContain('a key with the role reader may not send');
    await first.usage.close({ deadlineMs: 0 });
    expect(readdirSync(folder)).toHaveLength(1);
    const away = open('a key', { folder, server: { url: 'http://127.0.0.1:1', key: 'a key' } });
    await away.usage.close({ deadlineMs: 50 });
    const mended = open(await api.key('ingest'), { folder });
    expect(await mended.usage.flush()).toBe(true);
    expect(await countOf(`feature = 'waited'`)).toBe(1);
  });

  it.each(['a redirect to a login', 'a page', 'an empty 207', 'a challenge with status 202'])(
    'wait while %s stands before the server',
    async (kind) => {
      const folder = mkdtempSync(join(tmpdir(), 'spanledger-http-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const server = { url: await startLogin(kind), key: 'a key' };
      const { usage, troubles, losses } = open('', { folder, server });
      usage.record(usageEvent({ event_id: kind, feature: kind }));
      expect(await usage.flush({ deadlineMs: 200 })).toBe(false);
      expect(usage.status()).toMatchObject({ sent: 0, lost: 0 });
      expect(String(troubles[0]?.error)).toContain('is no answer of a Spanledger server');
      await usage.close({ deadlineMs: 0 });
      expect(losses).toEqual([]);
      const past = open(await api.key('ingest'), { folder });
      expect(await past.usage.flush()).toBe(true);
      expect(await countOf(`feature = '${kind}'`)).toBe(1);
    },
  );

  it('need an address', () => {
    expect(() => openClient({ folder: null })).toThrow(/neither a queueUrl nor a server is given/);
    const server = { url: 'usage.example.com', key: 'k' };
    expect(() => openClient({ folder: null, server })).toThrow(/is not an HTTP URL/);
  });
});

const CALL = { tenantId: 'tiny', model: 'gpt-4o', inputTokens: 1000, maxOutputTokens: 200 };
const holds = (state: string) =>
  textRows(
    database,
    `select hold_id from budget_holds where state = '${state}' and tenant_id = 'tiny'`,
  );

describe('guard', () => {
  it('holds, makes the call, records it with its hold, and the ledger settles it', async () => {
    await putBudget(database, { tenant_id: 'tiny', amount: '0.01' }, new Date().toISOString());
    const { usage } = open(await api.key('ingest'));
    const answer = await withUsage({ userId: 'ann' }, () =>
      usage.guard(CALL, async () => ({
        id: 'chatcmpl-0123456789abcdef',
        model: 'gpt-4o-2024-08-06',
        usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 },
      })),
    );
    expect(answer.usage.total_tokens).toBe(1100);
    await usage.flush();
    await foldAll(database, systemClock);
    expect(await holds('open')).toEqual([]);
    expect(await holds('settled')).toHaveLength(1);
    // 1,000 × 3.00 µ + 100 × 12.00 µ
    const [counted] = await textRows(
      database,
      `select c.spent, c.held from budget_counters c join budgets b using (budget_id) where tenant_id = 'tiny'`,
    );
    expect(counted).toMatchObject({ spent: '4200000000', held: '0' });
    expect(await countOf(`tenant_id = 'tiny' and user_id = 'ann'`)).toBe(1);
  });

  it('refuses before the call with what the budget says', async () => {
    const { usage } = open(await api.key('ingest'));
    let made = 0;
    // 1,000 × 3.00 µ + 500 × 12.00 µ = 0.009, and 0.0058 are left
    const refused = usage.guard({ ...CALL, maxOutputTokens: 500 }, () => {
      made += 1;
    });
    const error = await refused.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetExceeded);
    expect(error).toMatchObject({
      ...{ verdict: 'deny', per: 'month', measure: 'money', limit: '0.01', spent: '0.0042' },
      ...{ held: '0', left: '0.0058', currency: 'USD', because: 'limit', estimate: '0.009' },
      message: expect.stringMatching(
        /^the budget of 0\.01 USD per month of tenant "tiny" denies this call of at most 0\.009: 0\.0042 spent, 0 held, 0\.0058 left; it starts again at 20/,
      ),
    });
    expect(made).toBe(0);
  });

  it('gives back what a call that failed was promised', async () => {
    const { usage } = open(await api.key('ingest'));
    const call = usage.guard(CALL, () => Promise.reject(new Error('the provider is away')));
    await expect(call).rejects.toThrow('the provider is away');
    await usage.close();
    expect(await holds('open')).toEqual([]);
    expect(await holds('released')).toHaveLength(1);
  });

  it('records a call that tells nothing as unmeasured, so that the month names it', async () => {
    const { usage } = open(await api.key('ingest'));
    await usage.guard({ ...CALL, feature: 'blind' }, () => 'an answer');
    await usage.flush();
    expect(await countOf(`feature = 'blind' and outcome = 'unmeasured'`)).toBe(1);
    await foldAll(database, systemClock);
    // What it was promised stays held: nobody knows what it came to, and little is left for another call.
    expect(await holds('open')).toHaveLength(1);
    await expect(usage.guard(CALL, () => 'made')).rejects.toBeInstanceOf(BudgetExceeded);
    await putBudget(database, { tenant_id: 'tiny', amount: '1' }, new Date().toISOString());
    await usage.guard({ ...CALL, feature: 'told' }, ({ record }) => {
      record({ usage: { input_tokens: 1, output_tokens: 1 } });
    });
    await usage.flush();
    expect(await countOf(`feature = 'told' and outcome = 'charged'`)).toBe(1);
  });

  it('does as the budget says when nobody can be asked', async () => {
    const queueUrl = 'http://127.0.0.1:1/0/usage';
    const away = (change: Partial<ClientOptions> = {}) => {
      const server = { url: 'http://127.0.0.1:1', key: 'a key' };
      return open('', { server, queueUrl, ...change });
    };
    const denied = away();
    const error = await denied.usage.guard(CALL, () => 'made').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetUnavailable);
    expect(denied.troubles[0]?.kind).toBe('budgets');
    const allowed = away();
    expect(await allowed.usage.guard({ ...CALL, onUnavailable: 'allow' }, () => 'made')).toBe(
      'made',
    );

    const own = await startApi(database);
    await putBudget(
      database,
      { tenant_id: 'globex', amount: '5', on_unavailable: 'allow' },
      new Date().toISOString(),
    );
    const server = { url: own.url, key: await own.key('ingest') };
    const taught = open('', { server, queueUrl });
    const call = { ...CALL, tenantId: 'globex', onUnavailable: 'deny' } as const;
    await taught.usage.guard(call, () => 'made');
    await own.close();
    expect(await taught.usage.guard(call, () => 'made')).toBe('made');
  });

  it('makes no call for which a hard budget can hold nothing, whatever is said of outages', async () => {
    const at = new Date().toISOString();
    const budget = { amount: '5', on_unavailable: 'allow' } as const;
    for (const [tenant_id, kind] of [
      ['strict', 'hard'],
      ['lenient', 'soft'],
    ] as const) {
      await makeTenant(database, tenant_id);
      await putBudget(database, { ...budget, tenant_id, kind }, at);
    }
    const { usage, troubles } = open(await api.key('ingest'));
    let made = 0;
    const guarded = (tenantId: string, model: string) =>
      usage.guard({ ...CALL, tenantId, model, onUnavailable: 'allow' }, ({ answer }) => {
        made += 1;
        return answer?.verdict ?? null;
      });
    expect(await guarded('strict', 'gpt-4o')).toBe('allow');
    const error = await guarded('strict', 'of-no-book').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ReserveRefused);
    expect(error).toMatchObject({ status: 409, kind: 'incomplete' });
    expect(String(error)).toMatch(
      /nothing can be held for this call of tenant "strict": .*of-no-book/,
    );
    expect([made, troubles]).toEqual([1, []]);
    expect(await guarded('lenient', 'of-no-book')).toBe('warn');
    await usage.flush();
    await foldAll(database, systemClock);
    const ofLenient = `budget_holds where tenant_id = 'lenient' and state = 'settled'`;
    expect(await count(database, ofLenient)).toBe(1);
  });

  it('makes the first call of a tenant that no budget can be about yet, where it may', async () => {
    const { usage, troubles } = open(await api.key('ingest'));
    const call = { ...CALL, tenantId: 'newcomer' };
    await expect(usage.guard(call, () => 'made')).rejects.toBeInstanceOf(ReserveRefused);
    expect(await usage.guard({ ...call, onUnavailable: 'allow' }, () => 'made')).toBe('made');
    expect(troubles).toEqual([{ kind: 'budgets', error: expect.any(ReserveRefused) }]);
    await usage.flush();
    expect(await count(database, `entries where tenant_id = 'newcomer'`)).toBe(1);
    expect(await count(database, `unknown_holds where tenant_id = 'newcomer'`)).toBe(0);
  });

  it('tells where what it gives back was taken by a page before the server', async () => {
    const server = { url: await startLogin('a page'), key: 'a key' };
    const { usage, troubles } = open('', { server });
    await expect(usage.guard(CALL, () => 'made')).rejects.toBeInstanceOf(BudgetUnavailable);
    await usage.close({ deadlineMs: 500 });
    const told = troubles
      .filter(({ kind }) => kind === 'budgets')
      .map(({ error }) => String(error));
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('the server answered 200: <html>');
  });
});
