import { resolve } from 'node:path';
import type { Command } from 'commander';
import { apiPartsOf, startHttpServer } from '../../api/http-server.ts';
import { setBudgetRequest } from '../../budgets/budget-answer.ts';
import { setBudget } from '../../budgets/set-budget.ts';
import { pause } from '../../clock.ts';
import { buildConsole } from '../../console/console-app.ts';
import { linkAddress } from '../../console/customer/link-address.ts';
import type { DemoAnswer } from '../../demo/demo-answer.ts';
import { demoRequest } from '../../demo/demo-answer.ts';
import type { RunningDemo } from '../../demo/demo-parts.ts';
import { openTrace } from '../../demo/trace.ts';
import { setIssuer } from '../../issuer/set-issuer.ts';
import { createKey } from '../../keys/create-key.ts';
import { createKeyRequest } from '../../keys/key-answer.ts';
import { readRequest } from '../../request.ts';
import { figureOf } from '../../text/counted.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { amountOfMicro, moneyText } from '../terminal/figures.ts';
import { exitOnSignal, stopOnSignal } from '../terminal/signals.ts';
import type { DrawTable } from '../terminal/table.ts';
import { renderLaw } from './verify.ts';

const CALLS = 20_500;
const SEED = 42;

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('run the whole job on embedded parts: database, queue and a double of Stripe')
    .option('--trace <file>', 'replay an Azure LLM inference trace instead of a generated one')
    .option('--keep', 'leave everything running afterwards, and print how to connect')
    .option('--calls <n>', 'requests of the generated trace', readCount, CALLS)
    .option('--seed <n>', 'the same seed gives the same amounts', readCount, SEED)
    .option('--out <folder>', 'where the statements go', 'statements');
  perform<DemoFlags>(command, async (session, { options }) => {
    const { clock, log, out } = session;
    const { say, progress } = out;
    const { trace: file = null, calls, seed, keep = false } = options;
    const given = { trace: file, calls, seed, keep, folder: resolve(options.out) };
    const request = readRequest(demoRequest, given);
    // A trace that cannot be read is refused before anything is started.
    const trace = await openTrace(request);
    // The database ends with the process, however that ends.
    const forget = exitOnSignal();
    // The demo's parts are heavy, and no other command needs them.
    const { startDemoParts } = await import('../../demo/demo-parts.ts');
    const { runDemo } = await import('../../demo/run-demo.ts');
    const parts = await startDemoParts({ clock, log, say, progress, trace });
    try {
      const ran = await runDemo(parts, request);
      const kept = keep ? await openDemoConsole(parts) : null;
      const answer = { ...ran, console: kept?.places ?? null };
      if (answer.laws.some((law) => law.violations.length > 0)) session.foundWrong();
      // Whoever reads the answer may end it at once, and that, too, is an orderly end.
      const end = keep ? untilSignal(forget) : null;
      out.answer(answer, (shown) => render(shown, out.table));
      await end;
      await kept?.server.close();
    } finally {
      await parts.stop();
    }
  });
}

interface DemoFlags {
  readonly trace?: string;
  readonly keep?: boolean;
  readonly calls: number;
  readonly seed: number;
  readonly out: string;
}

function render(result: DemoAnswer, table: DrawTable): string {
  const rows = [...result.tenants, { tenant_id: 'all', mode: '', ...result.total }];
  const figures = table(rows, [
    { title: 'TENANT', value: (row) => row.tenant_id },
    { title: 'MODE', value: (row) => row.mode },
    { title: 'CALLS', value: (row) => figureOf(row.calls), figure: true },
    { title: 'FAILED', value: (row) => figureOf(row.failed), figure: true },
    { title: 'TOKENS', value: (row) => figureOf(row.tokens), figure: true },
    { title: 'CHARGE', value: (row) => moneyText(row.charge), figure: true },
    { title: 'COST', value: (row) => moneyText(row.cost), figure: true },
    { title: 'MARGIN', value: (row) => moneyText(row.margin), figure: true },
    { title: 'PUSHED', value: (row) => amountOfMicro(row.pushed), figure: true },
    { title: 'STRIPE', value: (row) => stripeOf(row.stripe), figure: true },
  ]);
  const page = result.statements.find((file) => file.endsWith('.html')) ?? '';
  const parts = [
    '',
    result.laws.map(renderLaw).join('\n'),
    '',
    figures,
    '',
    `Amounts in USD for ${result.month}. Statements (HTML, PDF, JSON, CSV, text): ${page} and ${result.statements.length - 1} more`,
  ];
  if (result.connection !== null) {
    const lines = Object.entries(result.connection).map(
      ([name, value]) => `export ${name}='${value}'`,
    );
    parts.push('', 'Everything goes on running; connect with', ...lines, 'and end it with Ctrl-C.');
  }
  if (result.console !== null) {
    const { url, admin_key, reader_key, customer_link } = result.console;
    parts.push(
      '',
      `The console: ${url}`,
      `  sign in to act with   ${admin_key}`,
      `  sign in to look with  ${reader_key}`,
      `A customer's page: ${customer_link}`,
    );
  }
  return parts.join('\n');
}

/** Stripe was not asked of a tenant in shadow. */
function stripeOf(micro: string | null): string {
  return micro === null ? '' : amountOfMicro(micro);
}

/**
 * Opens the console over what the demo made, with a key for each role and a link for a customer.
 */
async function openDemoConsole(parts: RunningDemo) {
  const apiParts = apiPartsOf({ ...parts, queue: DEMO_QUEUE, stripeParts: parts });
  await setIssuer(parts, { name: 'Northwind AI', support_email: 'billing@northwind.example' });
  await setBudget(parts, readRequest(setBudgetRequest, BUDGET));
  const pages = buildConsole({ parts: apiParts, users: null, publicUrl: null, frameOrigins: [] });
  const address = { host: '127.0.0.1', port: 0 };
  const server = await startHttpServer({ parts: apiParts, webhook: null, pages, ...address });
  const make = async (role: 'admin' | 'reader' | 'link') => {
    const isLink = role === 'link';
    const scope = { tenant_id: isLink ? CUSTOMER : null, expires_in_days: isLink ? 30 : null };
    const request = { role, ...scope, name: `demo-${role}`, source: null, tenant_ids: null };
    const rest = { rate: null, expires_at: null, actor: 'demo' };
    return (await createKey(parts, readRequest(createKeyRequest, { ...request, ...rest }))).key;
  };
  const places = {
    url: `${server.url}/console`,
    admin_key: await make('admin'),
    reader_key: await make('reader'),
    customer_link: linkAddress(await make('link'), server.url),
  };
  return { server, places };
}

const DEMO_QUEUE = 'the queue of the demo is read by nobody any more';
const CUSTOMER = 'acme-robotics';
const BUDGET = {
  tenant_id: CUSTOMER,
  per: 'month' as const,
  kind: 'soft' as const,
  amount: '12.00',
  feature: null,
  user_id: null,
  agent_run_id: null,
  tags: null,
  tokens: null,
  on_unavailable: null,
  priced_only: null,
  thresholds: null,
  loop: null,
  actor: 'demo',
};

async function untilSignal(forget: () => void): Promise<void> {
  forget();
  const { stop } = stopOnSignal();
  while (!stop.aborted) await pause(60_000, stop);
}
