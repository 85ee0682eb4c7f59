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
  release: 1,
  jump: 5,
  close: 4,
  push: 4,
  reconcile: 2,
  let_go: 1,
  fold: 1,
  seal: 1,
  adjust: 2,
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
  summary_lag: 1,
  redrive: 2,
  freeze: 2,
} as const;
export type ActKind = keyof typeof KINDS;

const LEAST_ACTS = 14;
const MORE_ACTS = 16;
const MOST_TURNS = 40;

/** The same acts from the same seed. */
export function planOf(seed: number): readonly Act[] {
  const random = randomFrom(seed);
  const whole = (below: number) => Math.floor(random() * below);
  const kinds = Object.entries(KINDS).flatMap(([kind, weight]) =>
    Array.from({ length: weight }, () => kind as ActKind),
  );
  return Array.from({ length: LEAST_ACTS + whole(MORE_ACTS) }, (_, place) => ({
    place,
    kind: kinds[whole(kinds.length)] ?? 'calls',
    seed: whole(2 ** 31),
    turns: whole(MOST_TURNS),
  }));
}
