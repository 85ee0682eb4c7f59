import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job } from './contender.ts';
import type { LedgerJob } from './large-ledger.ts';
import type { LoadJob } from './under-load.ts';

/** What a child is told to run: a contender by its name, or one of the other measurements. */
export type Order =
  | { readonly kind: 'contender'; readonly name: string; readonly job: Job }
  | { readonly kind: 'stages'; readonly job: Job }
  | { readonly kind: 'under load'; readonly job: LoadJob }
  | { readonly kind: 'ledger'; readonly job: LedgerJob };

/** A fresh process a run: none inherits another's heap or compiled code. */
export async function runChild<Result>(order: Order): Promise<Result> {
  const [result] = await runChildren<Result>(order, 1);
  if (result === undefined) throw new Error(`${order.kind} gave no result`);
  return result;
}

/** The same order for several processes, which begin together when all have loaded their code. */
export async function runChildren<Result>(
  order: Order,
  processes: number,
): Promise<readonly Result[]> {
  const children = await Promise.all(Array.from({ length: processes }, () => startChild(order)));
  return Promise.all(children.map((child) => carryOut<Result>(child, order)));
}

/**
 * As the README says to run a worker for long: of a large machine's memory Node would else let some
 * hundred MiB of garbage lie before it collects any.
 */
const LONG_RUN_FLAGS = ['--max-old-space-size=112'];

function startChild({ kind }: Order): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('contender-process.ts', import.meta.url)), {
    execArgv: kind === 'under load' ? LONG_RUN_FLAGS : [],
  });
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a child ended with ${code} at once`));
    child.once('error', reject);
    child.once('exit', ended);
    child.once('message', () => {
      child.off('exit', ended);
      resolve(child);
    });
  });
}

function carryOut<Result>(child: ChildProcess, order: Order): Promise<Result> {
  return new Promise((resolve, reject) => {
    let answer: Result | undefined;
    child.once('message', (message) => {
      answer = message as Result;
    });
    child.once('exit', (code) => {
      if (answer === undefined) reject(new Error(`${order.kind} ended with ${code} and no answer`));
      else resolve(answer);
    });
    child.send(order);
  });
}
