import { resolve } from 'node:path';
import type { Command } from 'commander';
import { pause } from '../../clock.ts';
import type { DemoAnswer } from '../../demo/demo-answer.ts';
import { demoRequest } from '../../demo/demo-answer.ts';
import { openTrace } from '../../demo/trace.ts';
import { readRequest } from '../../request.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { amountOfMicro, figureOf, moneyText } from '../terminal/figures.ts';
import type { DrawTable } from '../terminal/table.ts';
import { renderLaw } from './verify.ts';

const CALLS = 20_500;
const SEED = 42;

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('the whole job on embedded parts: database, queue, Stripe double')
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
    // The demo's parts are heavy, and no other command needs them.
    const { startDemoParts } = await import('../../demo/demo-parts.ts');
    const { runDemo } = await import('../../demo/run-demo.ts');
    const parts = await startDemoParts({ clock, log, say, progress, trace });
    try {
      const answer = await runDemo(parts, request);
      if (answer.laws.some((law) => law.violations.length > 0)) session.foundWrong();
      out.answer(answer, render(answer, out.table));
      if (keep) await untilSignal();
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
  return parts.join('\n');
}

/** Stripe was not asked of a tenant in shadow. */
function stripeOf(micro: string | null): string {
  return micro === null ? '' : amountOfMicro(micro);
}

async function untilSignal(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  while (!stop.signal.aborted) await pause(60_000, stop.signal);
}
