#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addAudit } from './cli/audit.ts';
import { addClose } from './cli/close.ts';
import { reportFailure } from './cli/command.ts';
import { addCorrect } from './cli/correct.ts';
import { addDemo } from './cli/demo.ts';
import { addMigrate } from './cli/migrate.ts';
import { addPriceBook } from './cli/price-book.ts';
import { addQuarantine } from './cli/quarantine.ts';
import { addReport } from './cli/report.ts';
import { addRerate } from './cli/rerate.ts';
import { addRunMonth } from './cli/run-month.ts';
import { addServe } from './cli/serve.ts';
import { addStatement } from './cli/statement.ts';
import { addPush, addReconcile, addStripe } from './cli/stripe.ts';
import { addStripeDouble } from './cli/stripe-double.ts';
import { addTenant } from './cli/tenant.ts';
import { addVerify } from './cli/verify.ts';
import { addWorker } from './cli/worker.ts';

/** Reads argv and wires the folders together: the only file that knows all commands. */
const program = new Command('spanledger')
  .description('usage-based billing: LLM span events from SQS, an idempotent ledger, Stripe')
  .showHelpAfterError('(add --help for what is allowed)')
  .configureHelp({ sortSubcommands: false });

const ADD_COMMANDS = [
  addDemo,
  addMigrate,
  addPriceBook,
  addTenant,
  addWorker,
  addClose,
  addStripe,
  addPush,
  addReconcile,
  addRunMonth,
  addServe,
  addStatement,
  addReport,
  addAudit,
  addCorrect,
  addRerate,
  addQuarantine,
  addVerify,
  addStripeDouble,
];
for (const add of ADD_COMMANDS) add(program);
exitOverrideAll(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? usageExitCode(error) : reportFailure(error);
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
