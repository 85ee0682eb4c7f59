/** Plays mostly wait for Postgres and for sockets, so a long run plays a few side by side. */
const MOST_LANES = 4;
const PLAYS_A_LANE = 25;

export function lanesFor(plays: number): number {
  return Math.max(1, Math.min(MOST_LANES, Math.floor(plays / PLAYS_A_LANE)));
}

/** Each bench plays one case after another, whichever is next. */
export async function playInLanes<Bench, Case>(
  benches: readonly Bench[],
  cases: readonly Case[],
  play: (bench: Bench, given: Case) => Promise<void>,
): Promise<void> {
  const queue = [...cases];
  await Promise.all(
    benches.map(async (bench) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await play(bench, next);
      }
    }),
  );
}
