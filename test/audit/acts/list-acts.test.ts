import { expect, it } from 'vitest';
import { ROUTES } from '../../../src/api/routes.ts';
import { actsAnswer } from '../../../src/audit/acts/acts-answer.ts';
import { checkJournal } from '../../../src/audit/laws/journal-law-store.ts';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import { checkSeals } from '../../../src/audit/laws/seals-law-store.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { processTerminal } from '../../../src/cli/terminal/terminal.ts';
import { systemClock } from '../../../src/clock.ts';
import { sealAll } from '../../../src/seals/seal-batches.ts';
import { freshApi } from '../../support/api.ts';
import { cli } from '../../support/cli.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

it('the journal says who did what, when and why, through every door and past them', async () => {
  const database = await freshDatabase();
  const environment = { DATABASE_URL: database.url };
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database);
  const admin = await api.key('admin', { name: 'finance' });
  await api.ask('/v1/tenants/acme', admin, { method: 'PUT', json: { mode: 'live' } });
  const credit = { amount: '-5', reason: "goodwill, as 'promised'" };
  await api.ask('/v1/tenants/acme/adjustments', admin, { json: credit });
  const set = ['tenant', 'set', 'acme', '--mode', 'shadow', '--actor', 'ada'];
  expect((await cli(set, environment)).exitCode).toBe(0);
  await receiveEvents(database, [nativeEvent({ tenant_id: 'globex' }), { event_id: 'bad' }]);
  const dismiss = ['quarantine', 'dismiss', '1', '--reason', 'noise', '--actor', 'ada'];
  expect((await cli(dismiss, environment)).stderr).toBe('');
  await database.pool.query(
    "update tenants set stripe_customer = 'cus_x' where tenant_id = 'acme'",
  );

  const answer = await api.ask('/v1/acts', admin);
  const { acts } = actsAnswer.parse(answer.json);
  const said = acts.map(({ act, actor, reason, tenant_ids: of }) => [act, actor, reason, ...of]);
  expect(said.slice(0, 2)).toEqual([
    ['update', 'postgres', null, 'acme'],
    ['quarantine dismiss', 'ada', 'noise'],
  ]);
  expect(said).toContainEqual(['tenant set', 'ada', null, 'acme']);
  expect(said).toContainEqual(['adjust', 'finance', credit.reason, 'acme']);
  expect(said).toContainEqual(['tenant set', 'finance', null, 'acme']);
  expect(acts.find(({ actor, act }) => actor === 'ada' && act === 'tenant set')?.rows).toEqual([
    {
      ...{ table: 'tenants', key: { tenant_id: 'acme' }, change: 'changed' },
      fields: [{ name: 'mode', was: 'live', became: 'shadow' }],
    },
  ]);
  expect(acts.find(({ act }) => act === 'adjust')).toMatchObject({ entries: 1 });

  const text = await cli(['audit', 'acts', '--tenant', 'acme', '--who', 'ada'], environment);
  expect(text.stdout).toMatch(
    /^\S+Z {2}ada {2}tenant set\n {2}for acme\n {2}tenants acme changed: mode live → shadow\n$/,
  );
  const first = await api.ask('/v1/acts?limit=1&tenant=acme', admin);
  expect(first.json.acts).toHaveLength(1);
  const second = await api.ask(
    `/v1/acts?limit=1&tenant=acme&cursor=${first.json.next_cursor}`,
    admin,
  );
  expect(second.json.acts).toMatchObject([{ act: 'tenant set', actor: 'ada' }]);

  await sealAll(database, systemClock);
  const scope = await openScope(database, 'full');
  expect((await checkJournal(database, scope)).violations).toEqual([]);
  expect((await checkSeals(database, scope, [])).violations).toEqual([]);
});

it('what a route does is called as the command that does the same', async () => {
  const program = await buildProgram(undefined, processTerminal());
  const names = program.commands.flatMap((group) =>
    group.commands.length === 0
      ? [group.name()]
      : // A group with a default command is called by its own name, too.
        [group.name(), ...group.commands.map((command) => `${group.name()} ${command.name()}`)],
  );
  const questions = [
    '/v1/budgets/check',
    '/v1/budgets/reserve',
    '/v1/ingest/check',
    '/v1/price-books/comparisons',
    '/v1/archives/check',
  ];
  for (const { method, path, act } of ROUTES) {
    const asks = method === 'GET' || questions.includes(path);
    expect(act === null, `${method} ${path}`).toBe(asks);
    if (act !== null) expect(names).toContain(act);
  }
});

it('what a receiver is told at is nobody else’s: the journal shows whose it is, and that it changed', async () => {
  const database = await freshDatabase();
  const api = await freshApi(database);
  const admin = await api.key('admin');
  const url = (token: string) => `https://hooks.example.com/services/T00/B00/${token}`;
  for (const token of ['FIRSTTOKEN', 'SECRETTOKEN']) {
    const added = await api.ask('/v1/webhooks', admin, { json: { url: url(token) } });
    expect(added.status).toBe(200);
  }
  const answer = await api.ask('/v1/acts', await api.key('reader'));
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain('TOKEN');
  const { acts } = actsAnswer.parse(answer.json);
  const shown = acts
    .flatMap(({ rows }) => rows)
    .filter(({ table }) => table === 'webhook_endpoints')
    .map(({ fields }) => fields.find(({ name }) => name === 'url')?.became);
  expect(shown).toHaveLength(2);
  expect(new Set(shown).size).toBe(2);
  for (const place of shown) {
    expect(place).toMatch(/^https:\/\/hooks\.example\.com\/… \(sha-256 [0-9a-f]{12}\)$/);
  }
});
