import { errorCode } from '../../error-code.ts';
import { Refusal } from '../../refusal.ts';

/** Starts a server for a command; a port that cannot be had is for a person to mend, and no fault of ours. */
export async function listenOn<Server>(
  port: number,
  start: () => Promise<Server>,
): Promise<Server> {
  try {
    return await start();
  } catch (error) {
    const reason = WHY_NOT[errorCode(error)];
    if (reason === undefined) throw error;
    throw new Refusal(
      'bad_request',
      `port ${port} ${reason}`,
      'give another one with --port, or 0 for one that is free',
    );
  }
}

const WHY_NOT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another process',
  EACCES: 'may not be used by this user',
};
