import { randomFrom } from '../support/faulty-queue.ts';

/** One thing that happens to the bridge, and how many turns are taken after it. */
export interface Act {
  /** Its place in the whole plan, by which its calls are named, whatever was left out. */
  readonly place: number;
  readonly kind: ActKind;
  /** Everything about it is drawn from this, so that it stays what it is when others are left out. */
  readonly seed: number;
  readonly turns: number;
}

const KINDS = {
  calls: 9,
  post: 4,
  again: 3,
  reserve: 4,
  release: 2,
  jump: 5,
  month_ends: 1,
  close: 4,
  push: 4,
  reconcile: 2,
  let_go: 2,
  fold: 2,
  seal: 2,
  adjust: 3,
  correct: 4,
  run_month: 2,
  tell: 2,
  receiver_fails: 1,
  kill: 4,
  restart_serve: 3,
  lose_machine: 1,
  deploy: 2,
  trap: 8,
  restart: 1,
  queue_faults: 3,
  stripe_fault: 4,
  summary_lag: 2,
  redrive: 2,
  freeze: 2,
  hurry: 1,
} as const;
export type ActKind = keyof typeof KINDS;

/** What makes something fail. */
const FAILURES: ReadonlySet<ActKind> = new Set<ActKind>([
  ...(['receiver_fails', 'kill', 'restart_serve', 'lose_machine', 'deploy', 'trap'] as const),
  ...(['restart', 'queue_faults', 'stripe_fault', 'summary_lag', 'freeze'] as const),
]);

/** Of so many histories one is long: whatever happens, in any order, over months. */
const HISTORIES_A_LONG_ONE = 5;
const LEAST_LONG_ACTS = 14;
const MORE_LONG_ACTS = 16;
/** What every short history comes through: the end of a month and its money, while something fails. */
const WAY_TO_THE_MONEY = [
  ...(['calls', 'month_ends'] as const),
  ...(['failure', 'close', 'hurry'] as const),
  ...(['failure', 'push', 'hurry'] as const),
];
/** Fewer than so many acts of any kind come before each of these, and after the last. */
const ACTS_BETWEEN = 2;
const MOST_TURNS = 40;
/** Whoever closes or pushes a month and is in a hurry has done it within so many turns, if nothing stops it. */
const MOST_TURNS_OF_HURRY = 300;

/**
 * The same acts from the same seed. Most histories are short: many of those try more in the same time than a few long
 * ones do, and most faults need few acts.
 */
export function planOf(seed: number): readonly Act[] {
  const random = randomFrom(seed);
  const whole = (below: number) => Math.floor(random() * below);
  const kinds = Object.entries(KINDS).flatMap(([kind, weight]) =>
    Array.from({ length: weight }, () => kind as ActKind),
  );
  const failures = kinds.filter((kind) => FAILURES.has(kind));
  const oneOf = (some: readonly ActKind[]) => some[whole(some.length)] ?? 'calls';
  const any = (length: number) => Array.from({ length }, () => oneOf(kinds));
  const way = () =>
    WAY_TO_THE_MONEY.flatMap((step) => [
      ...any(whole(ACTS_BETWEEN)),
      step === 'failure' ? oneOf(failures) : step,
    ]);
  const drawn =
    whole(HISTORIES_A_LONG_ONE) === 0
      ? any(LEAST_LONG_ACTS + whole(MORE_LONG_ACTS))
      : [...way(), ...any(whole(ACTS_BETWEEN))];
  return drawn.map((kind, place) => ({
    place,
    kind,
    seed: whole(2 ** 31),
    turns: whole(kind === 'hurry' ? MOST_TURNS_OF_HURRY : MOST_TURNS),
  }));
}
