import type { Game } from './play.ts';

/** A history that once came to a wrong end, cut to the acts that it needed. */
export interface Kept extends Pick<Game, 'seed' | 'acts'> {
  readonly what: string;
}

export const KEPT: readonly Kept[] = [
  {
    what: 'a push finds its connection lost',
    seed: 5001,
    acts: [
      { place: 4, kind: 'trap', seed: 167652602, turns: 15 },
      { place: 15, kind: 'push', seed: 1256521126, turns: 27 },
    ],
  },
];
