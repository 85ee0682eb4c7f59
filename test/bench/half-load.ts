import { type Asking, askAtRate, askInLoops } from './http-load.ts';

/** What a server takes when it does nothing else, and the half of it that comes in beside what is measured. */
export interface HalfLoad {
  /** Events a second. */
  readonly fullLoad: number;
  readonly halfLoad: number;
}

const LOADING_CONNECTIONS = 8;
const WARM_UP_SECONDS = 2;

/** Finds how many events a second the server takes in packs of so many. */
export async function findHalfLoad(
  sending: Asking,
  { pack, seconds }: { readonly pack: number; readonly seconds: number },
): Promise<HalfLoad> {
  const load = { connections: LOADING_CONNECTIONS };
  await askInLoops(sending, { ...load, seconds: WARM_UP_SECONDS });
  const { length: packs } = await askInLoops(sending, { ...load, seconds });
  const fullLoad = (packs * pack) / seconds;
  return { fullLoad, halfLoad: fullLoad / 2 };
}

/** Measures while requests are sent at a rate, and fails where one of them did. */
export async function measureBeside<Result>(
  sending: Asking,
  perSecond: number,
  measure: () => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const beside = askAtRate(sending, perSecond, stop.signal);
  try {
    return await measure();
  } finally {
    stop.abort();
    await beside;
  }
}
