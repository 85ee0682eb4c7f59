import type { Readable, Writable } from 'node:stream';
import { Command } from 'commander';
import { type Clock, systemClock } from '../../clock.ts';
import { type Environment, processEnvironment } from '../../config.ts';
import { type Log, openLog } from '../../log.ts';
import { foldLines } from '../../text/text-width.ts';

/** Where and when a command line was typed, and where its answer goes. */
export interface Terminal {
  readonly environment: Environment;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  /** It is opened by asking for it. */
  readonly stdin: () => Readable;
  readonly openLog: (level: string) => Log;
  readonly clock: Clock;
  /** The clock that the database's own is held against; left out where time is not that of this machine. */
  readonly heldAgainst?: Clock;
}

/** A stream that may be a screen. */
export type TextStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Returns the terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  const stdin = () => process.stdin;
  const clocks = { clock: systemClock, heldAgainst: systemClock };
  return { environment: processEnvironment, stdout, stderr, stdin, openLog, ...clocks };
}

/** The command line as a whole; its commands find in it the terminal, and leave their exit code. */
export class Program extends Command {
  readonly terminal: Terminal;
  exitCode = 0;

  constructor(terminal: Terminal) {
    super('spanledger');
    this.terminal = terminal;
    this.configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) =>
        void terminal.stderr.write(foldLines(text, screenWidthOf(terminal.stderr))),
    });
  }
}

/** Returns the columns of a screen; null where it is none, and lines go whole. */
export function screenWidthOf(stream: TextStream): number | null {
  return stream.isTTY === true ? (stream.columns ?? 80) : null;
}

/** Returns the program to which a command was added. */
export function programOf(command: Command): Program {
  if (command instanceof Program) return command;
  if (command.parent === null) throw new TypeError(`"${command.name()}" stands in no program`);
  return programOf(command.parent);
}
