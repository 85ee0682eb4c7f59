import { styleText } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import { explainSqs } from '../../aws/sqs-refusal.ts';
import type { Acting } from '../../database/acting.ts';
import { explainFault } from '../../database/explain-fault.ts';
import { explainFile } from '../../files.ts';
import { Refusal } from '../../refusal.ts';
import { harmless, harmlessValue } from '../../text/harmless.ts';
import { foldLines } from '../../text/text-width.ts';
import { remedyText } from './commands-to-type.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { openOutput, type PageForm } from './output.ts';
import { openSession, type Session } from './session.ts';
import { programOf, screenWidthOf, type Terminal } from './terminal.ts';

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
  action: Action<Options & PageFlags>,
): Command {
  return command
    .option('--json', 'one JSON document on stdout')
    .option('--wide', 'tables in full, however wide')
    .action(async (...given) => {
      const { args } = command;
      const options: Options & PageFlags = given.at(-2);
      const program = programOf(command);
      const page = { json: options.json === true, wide: options.wide === true };
      const acting = actingBy(command, Object.fromEntries(Object.entries(options)));
      const session = { terminal: program.terminal, page, acting };
      program.exitCode = await run(session, (open) => action(open, { args, options }));
    });
}

interface PageFlags {
  readonly json?: boolean;
  readonly wide?: boolean;
}

/** Returns what the journal says of a command; one that takes no `--actor` acts for nobody. */
function actingBy(command: Command, options: Readonly<Record<string, unknown>>): Acting {
  const textOf = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    actor: textOf(options['actor']),
    act: nameOf(command),
    reason: textOf(options['reason']),
  };
}

/** Returns the command as it is typed, such as `tenant set`. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null
    ? command.name()
    : `${nameOf(parent)} ${command.name()}`;
}

async function run(
  of: { readonly terminal: Terminal; readonly page: PageForm; readonly acting: Acting },
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const { terminal, page, acting } = of;
  const out = openOutput(terminal, page);
  try {
    const session = openSession(terminal, out, acting);
    try {
      await work(session);
      return session.exitCode();
    } catch (error) {
      throw await session.seenWithSchema(error);
    } finally {
      out.end();
      await session.close();
    }
  } catch (error) {
    out.end();
    return reportFailure(error, terminal);
  }
}

/** Writes what went wrong to stderr and returns the exit code. */
export function reportFailure(error: unknown, { stderr }: Terminal): number {
  const head = styleText('red', 'error', { stream: stderr });
  const refusal =
    error instanceof Refusal
      ? error
      : (explainFault(error) ?? explainSqs(error) ?? explainFile(error));
  const width = screenWidthOf(stderr);
  const write = (line: string) => stderr.write(`${foldLines(line, width)}\n`);
  if (refusal !== null) {
    write(`${head}: ${harmlessValue(refusal.message)}`);
    write(`  ${harmlessValue(remedyText(refusal.remedy))}`);
    return EXIT_CODES[refusal.kind];
  }
  // An argument of a list is read by the command itself.
  if (error instanceof InvalidArgumentError) {
    write(`${head}: ${harmlessValue(error.message)}`);
    return EXIT_CODES.bad_request;
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.write(`${head}: ${harmless(message)}\n`);
  return 1;
}
