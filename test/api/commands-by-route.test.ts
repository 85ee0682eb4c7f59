import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';

/** Every answer that the command line gives is given by a route, too; or a reason stands here. */

const BY_ROUTE: Readonly<Record<string, string>> = {
  accept: 'POST /v1/acceptances',
  adjust: 'POST /v1/tenants/{tenant}/adjustments',
  'allocate backtest': 'GET /v1/backtests/{month}',
  'allocate list': 'GET /v1/allocations',
  'allocate post': 'POST /v1/allocations',
  'allocate reverse': 'POST /v1/allocations/{pool}/{month}/reverse',
  'allocate show': 'GET /v1/allocations/{pool}/{month}',
  'archive check': 'POST /v1/archives/check',
  'archive write': 'POST /v1/archives',
  'audit acts': 'GET /v1/acts',
  'audit entry': 'GET /v1/entries/{entry}',
  'audit event': 'GET /v1/events/{source}/{event}',
  'audit line': 'GET /v1/statements/{tenant}/{month}/lines/{line}',
  'audit reattribute': 'POST /v1/reattributions',
  'audit run': 'GET /v1/runs/{run}',
  'budget approve': 'POST /v1/budgets/requests/{request}/approve',
  'budget ask': 'POST /v1/budgets/requests',
  'budget check': 'POST /v1/budgets/check',
  'budget list': 'GET /v1/budgets',
  'budget refuse': 'POST /v1/budgets/requests/{request}/refuse',
  'budget release': 'POST /v1/budgets/holds/{hold_id}/release',
  'budget remove': 'DELETE /v1/budgets',
  'budget requests': 'GET /v1/budgets/requests',
  'budget reserve': 'POST /v1/budgets/reserve',
  'budget set': 'PUT /v1/budgets',
  'check-producer': 'POST /v1/ingest/check',
  close: 'POST /v1/closes',
  correct: 'POST /v1/entries/{entry}/corrections',
  'export focus': 'GET /v1/exports/focus/{month}',
  'export journal': 'GET /v1/exports/journal/{month}',
  'fx import': 'POST /v1/exchange-rates',
  'fx list': 'GET /v1/exchange-rates',
  'issuer set': 'PUT /v1/issuer',
  'issuer show': 'GET /v1/issuer',
  'key create': 'POST /v1/keys',
  'key list': 'GET /v1/keys',
  'key revoke': 'DELETE /v1/keys/{key}',
  // A link is a key with the role link.
  'link create': 'POST /v1/keys',
  'link list': 'GET /v1/keys',
  'link revoke': 'DELETE /v1/keys/{key}',
  'period list': 'GET /v1/periods',
  'price-book default': 'POST /v1/price-books/{book}/default',
  'price-book diff': 'POST /v1/price-books/comparisons',
  'price-book import': 'POST /v1/price-books',
  'price-book list': 'GET /v1/price-books',
  'price-book seed': 'POST /v1/price-books/{book}/seed',
  'price-book show': 'GET /v1/price-books/{book}',
  'push list': 'GET /v1/pushes',
  'push month': 'POST /v1/pushes',
  'quarantine accept': 'POST /v1/quarantine/{quarantined}/accept',
  'quarantine dismiss': 'POST /v1/quarantine/dismiss',
  'quarantine list': 'GET /v1/quarantine',
  'quarantine purge': 'POST /v1/quarantine/purge',
  'quarantine replay': 'POST /v1/quarantine/replay',
  'quarantine show': 'GET /v1/quarantine/{quarantined}',
  reconcile: 'POST /v1/reconciliations',
  'report cost-drift': 'GET /v1/reports/cost-drift',
  'report counts': 'GET /v1/reports/counts',
  'report coverage': 'GET /v1/reports/coverage',
  'report leavers': 'GET /v1/reports/leavers',
  'report runs': 'GET /v1/runs',
  'report usage': 'GET /v1/usage',
  rerate: 'POST /v1/rerates',
  'run-month': 'POST /v1/months/{month}/run',
  'seal list': 'GET /v1/seals',
  'seal publish': 'POST /v1/seals/publish',
  statement: 'GET /v1/statements/{tenant}/{month}',
  status: 'GET /v1/status',
  'stripe alerts': 'GET /v1/alerts',
  'stripe release': 'POST /v1/releases',
  'stripe resolve': 'POST /v1/alerts/{alert}/resolve',
  'stripe settled': 'POST /v1/settlements',
  'stripe setup': 'POST /v1/stripe/setup',
  'stripe unpark': 'POST /v1/pushes/{identifier}/unpark',
  'stripe unsettle': 'POST /v1/settlements/{identifier}/reverse',
  'tenant close': 'POST /v1/tenants/{tenant}/close',
  'tenant list': 'GET /v1/tenants',
  'tenant set': 'PUT /v1/tenants/{tenant}',
  'tenant stay': 'POST /v1/tenants/{tenant}/stay',
  'tenant show': 'GET /v1/tenants/{tenant}',
  verify: 'POST /v1/verifications',
  'webhook add': 'POST /v1/webhooks',
  'webhook disable': 'POST /v1/webhooks/{endpoint}/disable',
  'webhook list': 'GET /v1/webhooks',
  'webhook remove': 'DELETE /v1/webhooks/{endpoint}',
  'webhook replay': 'POST /v1/webhooks/replay',
  'webhook test': 'POST /v1/webhooks/{endpoint}/test',
};

const WITHOUT: Readonly<Record<string, string>> = {
  completion: 'it is about the command line itself',
  demo: 'it starts the parts of which a server is one',
  init: 'it writes the files from which a server is started',
  migrate: 'a server answers nothing of a schema that is not its own',
  prove: 'whoever checks a proof needs no server, and must not need ours',
  send: 'a producer sends by the doors of ingest',
  serve: 'it is the server',
  'stripe-double': 'it is a server of its own',
  'webhook deliver': 'a server delivers by itself',
  worker: 'it runs beside the server',
};

function leavesOf(command: Command, path: readonly string[]): readonly string[] {
  const inner = command.commands.filter((one) => one.name() !== 'help');
  if (inner.length === 0) return [path.join(' ')];
  return inner.flatMap((one) => leavesOf(one, [...path, one.name()]));
}

describe('the table of routes', () => {
  it('has a route for each command, or a reason why there is none', async () => {
    const commands = leavesOf(await buildProgram(undefined, processTerminal()), []);
    const known = [...Object.keys(BY_ROUTE), ...Object.keys(WITHOUT)];
    expect(known.toSorted()).toEqual(commands.toSorted());
  });

  it('has the routes that are named', () => {
    const routes = new Set(ROUTES.map(({ method, path }) => `${method} ${path}`));
    expect(Object.values(BY_ROUTE).filter((route) => !routes.has(route))).toEqual([]);
  });

  it('lets nobody but an admin, or whoever sends, do what changes anything, and the journal names it', () => {
    const acts = ROUTES.filter(({ act }) => act !== null);
    for (const { roles, act } of acts) {
      expect(
        roles.filter((role) => !['admin', 'ingest'].includes(role)),
        String(act),
      ).toEqual([]);
    }
    const silent = ROUTES.filter(({ method, act }) => method !== 'GET' && act === null);
    expect(silent.map(({ path }) => path).toSorted()).toEqual([
      '/v1/archives/check',
      '/v1/budgets/check',
      '/v1/budgets/reserve',
      '/v1/ingest/check',
      '/v1/price-books/comparisons',
    ]);
  });
});
