import { styleText } from 'node:util';
import type { Command } from 'commander';
import { explainFault } from '../../database/explain-fault.ts';
import { explainFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { explainSqs } from '../../sqs-refusal.ts';
import { remedyText } from './commands-to-type.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { openOutput } from './output.ts';
import { openSession, type Session } from './session.ts';

/** What a command does: the session, then commander's arguments and options. */
export type Action<Options> = (
  session: Session,
  given: { readonly args: readonly string[]; readonly options: Options },
) => Promise<void>;

/**
 * Ends a command's definition: adds `--json`, opens and closes its session, and turns errors into
 * messages and exit codes; 1 for what was found wrong.
 */
export function perform<Options extends object>(
  command: Command,
  action: Action<Options & { readonly json?: boolean }>,
): Command {
  return command.option('--json', 'one JSON document on stdout').action(async (...given) => {
    const { args } = command;
    const options: Options & { json?: boolean } = given.at(-2);
    process.exitCode = await run(options.json === true, (session) =>
      action(session, { args, options }),
    );
  });
}

async function run(json: boolean, work: (session: Session) => Promise<void>): Promise<number> {
  try {
    const session = openSession(openOutput(json));
    try {
      await work(session);
      return session.exitCode();
    } finally {
      await session.close();
    }
  } catch (error) {
    return reportFailure(error);
  }
}

/** Writes what went wrong to stderr and returns the exit code. */
export function reportFailure(error: unknown): number {
  const refusal =
    error instanceof Refusal
      ? error
      : (explainFault(error) ?? explainSqs(error) ?? explainFile(error));
  if (refusal !== null) {
    process.stderr.write(`${styleText('red', 'error')}: ${refusal.message}\n`);
    process.stderr.write(`  ${remedyText(refusal.remedy)}\n`);
    return EXIT_CODES[refusal.kind];
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${styleText('red', 'error')}: ${message}\n`);
  return 1;
}
