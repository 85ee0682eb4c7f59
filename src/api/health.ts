import { withinTime } from '../clock.ts';
import { pingDatabase } from '../database/database.ts';
import type { Parts } from '../parts.ts';
import type { AppOptions } from './app-options.ts';
import { problem } from './problem.ts';
import { jsonReply, type Reply } from './reply.ts';

/** Tells whether this process and its database answer. */
export async function answerHealth({
  database,
  log,
}: Pick<Parts, 'database' | 'log'>): Promise<Reply> {
  try {
    await withinTime(ANSWER_MS, pingDatabase(database));
    return jsonReply({ status: 'ok' });
  } catch (error) {
    log.warn({ error: String(error) }, 'the database does not answer');
    return problem('unavailable', {
      detail: 'the database does not answer',
      remedy: 'whoever runs this server starts it, or corrects its address in DATABASE_URL',
    });
  }
}

/** Health checks usually wait only a few seconds. */
const ANSWER_MS = 2_000;

/**
 * Tells whether requests are welcome: not while the server ends, nor while its database is away.
 */
export function answerReady(options: AppOptions): Reply | Promise<Reply> {
  return options.isDraining() ? endingProblem('server') : answerHealth(options.parts);
}

/** A process that drains is well, and takes nothing more. */
export function endingProblem(what: 'server' | 'worker'): Reply {
  return problem('unavailable', { detail: `this ${what} is ending`, remedy: 'ask another one' });
}
