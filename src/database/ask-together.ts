import { type Database, isDatabaseAway } from './database.ts';

/** So many are asked at the most by one statement: its locks are held for all of them. */
const MOST_TOGETHER = 64;

type Answers<Answer> = readonly (Answer | null)[];
type AskAll<Call, Answer> = (
  database: Database,
  calls: readonly Call[],
) => Promise<Answers<Answer>>;

interface Waiting<Call, Answer> {
  readonly call: Call;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes one statement of what many ask at once. Of each queue one is under way, and whoever comes meanwhile is asked
 * together with all others that came by the next one: under load a question costs its share of a statement, and none of
 * this process wait for one another's locks, each with a connection that others need. Nobody hears what was
 * read before they asked.
 * An answer of null is none yet: the question is asked again, before those that came later.
 */
export function askTogether<Call, Answer>({
  queueOf,
  askAll,
}: {
  readonly queueOf: (call: Call) => string;
  readonly askAll: AskAll<Call, Answer>;
}): (database: Database, call: Call) => Promise<Answer> {
  const queuesByPool = new WeakMap<Database['bare'], Map<string, Waiting<Call, Answer>[]>>();
  return (database, call) =>
    new Promise((resolve, reject) => {
      const queues = queuesByPool.get(database.bare) ?? new Map();
      queuesByPool.set(database.bare, queues);
      const waiting = { call, resolve, reject };
      const name = queueOf(call);
      const queue = queues.get(name);
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      const own = [waiting];
      queues.set(name, own);
      const isEmpty = () => queues.delete(name);
      void askAllOf(own, (calls) => askAll(database, calls), isEmpty);
    });
}

type Ask<Call, Answer> = (calls: readonly Call[]) => Promise<Answers<Answer>>;

/** Says that the queue is empty in the turn in which it looked last: whoever comes then begins another one. */
async function askAllOf<Call, Answer>(
  queue: Waiting<Call, Answer>[],
  ask: Ask<Call, Answer>,
  isEmpty: () => void,
): Promise<void> {
  try {
    while (queue.length > 0) {
      const group = queue.splice(0, MOST_TOGETHER);
      queue.unshift(...(await answer(group, ask)));
    }
  } finally {
    isEmpty();
  }
}

/** Answers a group, and returns those that have no answer yet. */
async function answer<Call, Answer>(
  group: readonly Waiting<Call, Answer>[],
  ask: Ask<Call, Answer>,
): Promise<readonly Waiting<Call, Answer>[]> {
  const answers = await ask(group.map(({ call }) => call)).catch((error: unknown) => ({ error }));
  if ('error' in answers) return answerEach(group, { ask, error: answers.error });
  return group.filter(({ resolve }, place) => {
    const found = answers[place] ?? null;
    if (found === null) return true;
    resolve(found);
    return false;
  });
}

/** A call that the database refuses, or that lost a race, fails no other call that was asked with it. */
async function answerEach<Call, Answer>(
  group: readonly Waiting<Call, Answer>[],
  { ask, error }: { readonly ask: Ask<Call, Answer>; readonly error: unknown },
): Promise<readonly Waiting<Call, Answer>[]> {
  if (group.length === 1 || isDatabaseAway(error)) {
    for (const { reject } of group) reject(error);
    return [];
  }
  const left: Waiting<Call, Answer>[] = [];
  for (const one of group) left.push(...(await answer([one], ask)));
  return left;
}
