import { Command, CommanderError } from 'commander';
import { addAllocate } from './allocate.ts';
import { addAudit } from './audit.ts';
import { addBudget } from './budget.ts';
import { addClose } from './close.ts';
import { reportFailure } from './command.ts';
import { addCorrect } from './correct.ts';
import { addDemo } from './demo.ts';
import { addMigrate } from './migrate.ts';
import { addPriceBook } from './price-book.ts';
import { addProve } from './prove.ts';
import { addQuarantine } from './quarantine.ts';
import { addReport } from './report.ts';
import { addRerate } from './rerate.ts';
import { addRunMonth } from './run-month.ts';
import { addSeal } from './seal.ts';
import { addSend } from './send.ts';
import { addServe } from './serve.ts';
import { addStatement } from './statement.ts';
import { addPush, addReconcile, addStripe } from './stripe.ts';
import { addStripeDouble } from './stripe-double.ts';
import { addTenant } from './tenant.ts';
import { addVerify } from './verify.ts';
import { addWorker } from './worker.ts';

const ADD_COMMANDS = [
  addDemo,
  addMigrate,
  addPriceBook,
  addTenant,
  addSend,
  addWorker,
  addClose,
  addStripe,
  addPush,
  addReconcile,
  addRunMonth,
  addServe,
  addStatement,
  addProve,
  addReport,
  addAudit,
  addCorrect,
  addRerate,
  addAllocate,
  addBudget,
  addQuarantine,
  addVerify,
  addSeal,
  addStripeDouble,
];

/** Runs the command that argv names; sets the exit code and never rejects. */
export async function runCommandLine(): Promise<void> {
  const program = new Command('spanledger')
    .description('usage-based billing: LLM span events from SQS, an idempotent ledger, Stripe')
    .showHelpAfterError('(add --help for what is allowed)')
    .configureHelp({ sortSubcommands: false });
  for (const add of ADD_COMMANDS) add(program);
  exitOverrideAll(program);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError ? usageExitCode(error) : reportFailure(error);
  }
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
