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
  {
    what: 'late calls of a month shut in shadow',
    seed: 2048,
    acts: [
      { place: 0, kind: 'redrive', seed: 266383127, turns: 5 },
      { place: 1, kind: 'post', seed: 1128010104, turns: 39 },
      { place: 2, kind: 'calls', seed: 1499821498, turns: 4 },
      { place: 3, kind: 'summary_lag', seed: 277592100, turns: 36 },
      { place: 4, kind: 'jump', seed: 1113011232, turns: 29 },
      { place: 5, kind: 'calls', seed: 681609626, turns: 11 },
      { place: 6, kind: 'jump', seed: 272171596, turns: 11 },
      { place: 7, kind: 'receiver_fails', seed: 339331241, turns: 22 },
      { place: 8, kind: 'close', seed: 1209157917, turns: 22 },
      { place: 9, kind: 'jump', seed: 858432814, turns: 21 },
      { place: 10, kind: 'trap', seed: 682389453, turns: 14 },
      { place: 11, kind: 'freeze', seed: 1137289257, turns: 15 },
      { place: 12, kind: 'reserve', seed: 1253888329, turns: 37 },
      { place: 13, kind: 'calls', seed: 90018577, turns: 35 },
      { place: 16, kind: 'trap', seed: 1600557215, turns: 22 },
      { place: 19, kind: 'stripe_fault', seed: 645274681, turns: 10 },
    ],
  },
  {
    what: 'a message that came as often as it may before the faults ended is sent again',
    seed: 710081,
    acts: [
      { place: 0, kind: 'trap', seed: 300734502, turns: 2 },
      { place: 1, kind: 'calls', seed: 1675758016, turns: 27 },
      { place: 2, kind: 'adjust', seed: 2075532669, turns: 15 },
      { place: 3, kind: 'jump', seed: 518871053, turns: 6 },
      { place: 4, kind: 'calls', seed: 986991712, turns: 18 },
      { place: 5, kind: 'push', seed: 1320581883, turns: 6 },
      { place: 6, kind: 'stripe_fault', seed: 1127478105, turns: 35 },
      { place: 7, kind: 'tell', seed: 115082541, turns: 20 },
      { place: 8, kind: 'post', seed: 902004054, turns: 8 },
      { place: 9, kind: 'post', seed: 2023071106, turns: 16 },
      { place: 10, kind: 'queue_faults', seed: 887535848, turns: 28 },
      { place: 11, kind: 'again', seed: 1645332233, turns: 19 },
      { place: 12, kind: 'calls', seed: 708910844, turns: 6 },
      { place: 13, kind: 'calls', seed: 1423247576, turns: 24 },
      { place: 14, kind: 'reserve', seed: 489061853, turns: 10 },
      { place: 15, kind: 'let_go', seed: 64606536, turns: 28 },
      { place: 16, kind: 'trap', seed: 1912440975, turns: 39 },
      { place: 17, kind: 'reserve', seed: 504442790, turns: 8 },
      { place: 18, kind: 'jump', seed: 2142386938, turns: 20 },
      { place: 19, kind: 'trap', seed: 1756274128, turns: 22 },
      { place: 22, kind: 'stripe_fault', seed: 1198370353, turns: 20 },
      { place: 23, kind: 'kill', seed: 1710833917, turns: 12 },
      { place: 26, kind: 'calls', seed: 1227934885, turns: 22 },
    ],
  },
  {
    what: 'an invoice is final before its period is told, and its webhook was not heard in three days',
    seed: 740015,
    acts: [
      { place: 4, kind: 'calls', seed: 286538263, turns: 39 },
      { place: 5, kind: 'jump', seed: 759301612, turns: 10 },
      { place: 6, kind: 'trap', seed: 16869147, turns: 24 },
      { place: 21, kind: 'kill', seed: 382950693, turns: 30 },
      { place: 22, kind: 'jump', seed: 1043239463, turns: 3 },
    ],
  },
  {
    what: 'everything stops for a month when an item is made, and before its invoice is let go',
    seed: 2020103,
    acts: [
      { place: 0, kind: 'calls', seed: 704777965, turns: 1 },
      { place: 1, kind: 'month_ends', seed: 213023859, turns: 2 },
      { place: 2, kind: 'kill', seed: 2120825767, turns: 33 },
      { place: 3, kind: 'close', seed: 645633274, turns: 17 },
      { place: 4, kind: 'hurry', seed: 1623994193, turns: 189 },
      { place: 5, kind: 'calls', seed: 1236518555, turns: 32 },
      { place: 6, kind: 'trap', seed: 1850248215, turns: 17 },
      { place: 7, kind: 'push', seed: 601346421, turns: 38 },
      { place: 8, kind: 'trap', seed: 1574215565, turns: 3 },
      { place: 9, kind: 'hurry', seed: 892922412, turns: 188 },
    ],
  },
];
