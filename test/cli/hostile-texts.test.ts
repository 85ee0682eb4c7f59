import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { processTerminal } from '../../src/cli/terminal/terminal.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { createDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** Every text of these events would act upon a terminal, or look like a line of ours. */

const EVIL = '\u001b[95mx\u001b]0;t\u0007\r\nFORGED 0.00\u202e\u009b2J\n';

let database: TestDatabase;
let drop: () => Promise<void>;
const clock = () => Date.parse('2026-11-02T00:00:00Z');
let entry: string;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await importBooks(database, 'standard', 'cost');
  const named = (name: string) => `${name}${EVIL}`;
  const texts = {
    ...{ source: named('source'), tenant_id: named('tenant'), user_id: named('user') },
    ...{ feature: named('feature'), agent_run_id: named('run'), prompt_version: named('version') },
    ...{ provider: named('provider'), response_id: named('response'), call_id: named('call') },
    ...{ trace_id: named('trace'), parent_span_id: named('parent'), hold_id: named('hold') },
    ...{ requested_model: 'gpt-4o', tags: { [named('tag')]: named('value') } },
    reported_cost: { amount: '9', currency: 'USD', source: named('cost') },
  };
  const members = [{ member_id: named('member'), tenant_id: named('other') }, { member_id: 'n' }];
  const agent = { span_id: named('parent'), operation: 'invoke_agent', usage: undefined };
  await receiveEvents(database, [
    nativeEvent({ ...texts, event_id: named('priced') }),
    nativeEvent({ ...texts, event_id: named('unpriced'), requested_model: named('model') }),
    nativeEvent({
      ...texts,
      event_id: named('failed'),
      status: 'error',
      error_type: named('type'),
    }),
    nativeEvent({ ...texts, event_id: named('split'), members }),
    nativeEvent({ ...texts, ...agent, event_id: named('agent') }),
    nativeEvent({ ...texts, event_id: named('nobody'), tenant_id: undefined }),
    nativeEvent({ ...texts, event_id: named('unmeasured'), usage: {} }),
    nativeEvent({ ...texts, event_id: named('bad'), [named('field')]: 1, status: named('status') }),
    nativeEvent({ ...texts, event_id: named('priced'), feature: 'other' }),
  ]);
  await database.pool.query(
    `insert into budgets (tenant_id, per, feature, user_id, amount, is_hard, set_at, set_by,
      measure, agent_run_id, tags, on_unavailable, priced_only, time_zone, counts_from, counts_from_period)
    select tenant_id, 'day', $1, $1, 5, true, now(), $1, 'tokens', '', jsonb_build_object($1::text, $1::text), 'allow', false,
      'UTC', '2026-01-01', '2026-01-01' from tenants where tenant_id like 'tenant%'`,
    [named('budget')],
  );
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  await foldAll(database, clock);
  await sealAll(database, clock);
  const [first] = await textRows(database, "select 'ent_' || min(entry_id) as id from entries");
  entry = first?.['id'] ?? '';
}, 60_000);

afterAll(() => drop());

const T = `tenant${EVIL}`;
const S = `source${EVIL}`;

/** What a person asks of a ledger, with what a producer wrote. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  'tenant set': [T, '--mode', 'shadow'],
  'tenant list': [],
  'tenant show': [T],
  close: ['2026-10'],
  'period list': [],
  'push list': [],
  reconcile: ['2026-10'],
  'key create': ['--role', 'tenant', '--tenant', T, '--name', T],
  'key list': [],
  'link create': [T],
  'link list': [],
  statement: [T, '2026-10'],
  'export focus': ['2026-10'],
  'export journal': ['2026-10'],
  'report usage': ['--by', 'tenant,user,feature,agent_run,prompt_version,requested_model,provider'],
  'report runs': [],
  'report coverage': ['--month', '2026-10'],
  'report cost-drift': [],
  'report counts': ['--by', 'source,provider,model,requested_model,tenant'],
  'report leavers': [],
  'audit event': [S, `priced${EVIL}`],
  'audit entry': ['{entry}'],
  'audit line': [T, '2026-10', '1'],
  'audit run': [`run${EVIL}`],
  'audit acts': [],
  'audit reattribute': ['--tenant', T, '--user', `user${EVIL}`, '--reason', EVIL],
  adjust: [T, '--amount', '1', '--reason', EVIL],
  correct: ['{entry}', '--output-tokens', '5', '--reason', EVIL],
  accept: ['{entry}', '--reason', EVIL],
  rerate: ['2026-10', '--dry-run'],
  'allocate list': [],
  'budget set': [T, '--per', 'month', '--amount', '5', '--user', `user${EVIL}`],
  'budget list': [],
  'budget ask': [T, '1', '--limit', '500', '--reason', 'r'],
  'budget requests': ['--all'],
  'budget refuse': ['1', '--reason', 'r'],
  'budget approve': ['1', '--reason', 'r'],
  'budget check': [T, '--model', 'gpt-4o', '--input-tokens', '50', '--max-output-tokens', '5'],
  'budget reserve': [
    T,
    '--hold',
    EVIL,
    '--model',
    'gpt-4o',
    '--input-tokens',
    '5',
    '--max-output-tokens',
    '5',
  ],
  'quarantine list': [],
  'quarantine show': ['1'],
  'quarantine accept': ['2'],
  'quarantine replay': [],
  'quarantine dismiss': ['1', '--reason', EVIL],
  status: ['--month', '2026-10'],
  verify: [],
  'stripe alerts': [],
  'tenant close': [T, '--at', '2100-01-01T00:00:00Z'],
  'tenant stay': [T, '--reason', EVIL],
};

/** They print nothing that a producer wrote, or they need a Stripe, a file or a server: their tests look at them. */
const ELSEWHERE = [
  ...['archive check', 'archive write'],
  ...[
    'allocate backtest',
    'allocate post',
    'allocate reverse',
    'allocate show',
    'budget release',
    'budget remove',
  ],
  ...[
    'check-producer',
    'completion',
    'demo',
    'fx import',
    'fx list',
    'init',
    'issuer set',
    'issuer show',
    'key revoke',
  ],
  ...[
    'link revoke',
    'migrate',
    'price-book default',
    'price-book diff',
    'price-book import',
    'price-book list',
  ],
  ...[
    'price-book seed',
    'price-book show',
    'prove',
    'push month',
    'quarantine purge',
    'run-month',
    'seal list',
  ],
  ...[
    'seal publish',
    'send',
    'serve',
    'stripe release',
    'stripe resolve',
    'stripe settled',
    'stripe setup',
  ],
  ...[
    'stripe unpark',
    'stripe unsettle',
    'stripe-double',
    'webhook add',
    'webhook deliver',
    'webhook disable',
    'webhook list',
  ],
  ...['webhook remove', 'webhook replay', 'webhook test', 'worker'],
];

const program = await buildProgram(undefined, processTerminal());

function leaves(command: Command, path: readonly string[] = []): readonly string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

it('every command that prints texts of events is tried here', () => {
  const known = [...Object.keys(ASKED), ...ELSEWHERE].sort();
  expect(known).toEqual([...leaves(program)].sort());
});

it.each(Object.entries(ASKED))(
  '%s prints no control and no line of anybody else',
  async (name, args) => {
    const ids = args.map((arg) => arg.replace('{entry}', entry));
    const words = [...name.split(' '), ...ids];
    for (const more of [[], ['--wide']]) {
      const { stdout, stderr, exitCode } = await cli([...words, ...more], {
        DATABASE_URL: database.url,
        SPANLEDGER_LOG_LEVEL: 'silent',
      });
      for (const printed of [stdout, stderr]) {
        expect(printed.replaceAll(/\r?\n/g, '')).not.toMatch(CONTROL);
        expect(printed).not.toMatch(/^FORGED/m);
      }
      // What was refused for its form was not tried.
      expect(exitCode, stderr).not.toBe(2);
    }
  },
);

it('a statement in a file of plain text has no control either, for whoever shows it on a terminal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spanledger-hostile-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'statement.txt');
  const words = ['statement', T, '2026-10', '--format', 'text', '--out', file];
  expect(await cli(words, { DATABASE_URL: database.url })).toMatchObject({ exitCode: 0 });
  const written = await readFile(file, 'utf8');
  expect(written).toContain('\\u001b');
  expect(written.replaceAll('\n', '')).not.toMatch(CONTROL);
  expect(written).not.toMatch(/^FORGED/m);
});

const CONTROL = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
