import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';

/**
 * The actor is the person at the keyboard, unless another is named. What `--actor` gives is kept
 * forever.
 */
export function addActor(command: Command): Command {
  return command.option('--actor <name>', 'who', accountName());
}

/** A container may run under a number that no account has. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Commands that once took `--by` for who acts refuse it with the new name; elsewhere it is a dimension. */
export function addActorOnceBy(command: Command): Command {
  const formerly = new Option('--by <name>').hideHelp().argParser(() => {
    throw new InvalidArgumentError('say who acts with --actor; --by is a dimension of reports.');
  });
  return addActor(command).addOption(formerly);
}
