import { type Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { reportFailure } from './terminal/command.ts';
import { addExamples } from './terminal/examples.ts';
import { passOverClosedPipe } from './terminal/output.ts';
import { Program, type Terminal } from './terminal/terminal.ts';

/**
 * Each command is loaded when it is asked for, and all of them only for help: what they stand on takes
 * longer to load than most of them take to run.
 */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  demo: async () => (await import('./commands/demo.ts')).addDemo,
  init: async () => (await import('./commands/init.ts')).addInit,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
  'price-book': async () => (await import('./commands/price-book.ts')).addPriceBook,
  fx: async () => (await import('./commands/fx.ts')).addFx,
  tenant: async () => (await import('./commands/tenant.ts')).addTenant,
  issuer: async () => (await import('./commands/issuer.ts')).addIssuer,
  send: async () => (await import('./commands/send.ts')).addSend,
  worker: async () => (await import('./commands/worker.ts')).addWorker,
  close: async () => (await import('./commands/close.ts')).addClose,
  period: async () => (await import('./commands/period.ts')).addPeriod,
  stripe: async () => (await import('./commands/stripe.ts')).addStripe,
  push: async () => (await import('./commands/push.ts')).addPush,
  reconcile: async () => (await import('./commands/reconcile.ts')).addReconcile,
  'run-month': async () => (await import('./commands/run-month.ts')).addRunMonth,
  serve: async () => (await import('./commands/serve.ts')).addServe,
  key: async () => (await import('./commands/key.ts')).addKey,
  link: async () => (await import('./commands/link.ts')).addLink,
  statement: async () => (await import('./commands/statement.ts')).addStatement,
  webhook: async () => (await import('./commands/webhook.ts')).addWebhook,
  export: async () => (await import('./commands/export.ts')).addExport,
  archive: async () => (await import('./commands/archive.ts')).addArchive,
  prove: async () => (await import('./commands/prove.ts')).addProve,
  report: async () => (await import('./commands/report.ts')).addReport,
  audit: async () => (await import('./commands/audit.ts')).addAudit,
  adjust: async () => (await import('./commands/adjust.ts')).addAdjust,
  correct: async () => (await import('./commands/correct.ts')).addCorrect,
  accept: async () => (await import('./commands/accept.ts')).addAccept,
  rerate: async () => (await import('./commands/rerate.ts')).addRerate,
  allocate: async () => (await import('./commands/allocate.ts')).addAllocate,
  budget: async () => (await import('./commands/budget.ts')).addBudget,
  quarantine: async () => (await import('./commands/quarantine.ts')).addQuarantine,
  status: async () => (await import('./commands/status.ts')).addStatus,
  verify: async () => (await import('./commands/verify.ts')).addVerify,
  seal: async () => (await import('./commands/seal.ts')).addSeal,
  'check-producer': async () => (await import('./commands/check-producer.ts')).addCheckProducer,
  'stripe-double': async () => (await import('./commands/stripe-double.ts')).addStripeDouble,
  completion: async () => (await import('./commands/completion.ts')).addCompletion,
};

/** Runs the command that the arguments name; answers the exit code and never rejects. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  terminal.stdout.on('error', passOverClosedPipe);
  try {
    const program = await buildProgram(args[0], terminal);
    await program.parseAsync(args, { from: 'user' });
    return program.exitCode;
  } catch (error) {
    return error instanceof CommanderError ? usageExitCode(error) : reportFailure(error, terminal);
  }
}

/**
 * Builds the program with the command of this name; with all commands where there is none of it.
 */
export async function buildProgram(name: string | undefined, terminal: Terminal): Promise<Program> {
  const program = new Program(terminal);
  program
    .description('usage-based billing: LLM span events from SQS, an idempotent ledger, Stripe')
    .version(version())
    .showHelpAfterError('(add --help for what is allowed)')
    .configureHelp({ sortSubcommands: false });
  for (const load of commandsFor(name)) (await load())(program);
  addExamples(program);
  exitOverrideAll(program);
  return program;
}

function commandsFor(name: string | undefined) {
  if (name === '--version' || name === '-V') return [];
  // What completes command lines knows every command.
  const wanted = name === 'completion' ? undefined : name;
  const named = Object.entries(COMMANDS).filter(([command]) => command === wanted);
  return (named.length > 0 ? named : Object.entries(COMMANDS)).map(([, load]) => load);
}

/** Commander throws instead of exiting with 1, so that bad usage can exit with 2. */
function exitOverrideAll(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) exitOverrideAll(inner);
}

/** Help that was asked for is no error; everything else that commander refuses is bad usage. */
function usageExitCode(error: CommanderError): number {
  return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : 2;
}
