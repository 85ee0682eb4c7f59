/** Each takes a fraction of a millisecond, and others wait for a turn who did not ask for it. */
const MOST_A_TURN = 3;
/** More than so many are never put off: what they hold of answers is memory. */
const MOST_WAITING = 1_000;

/**
 * Work that nobody is to wait for, done in its order in a turn of its own, and some of it in the next where it is much.
 * Whoever must know that it is done, such as a client that closes or a process that ends, catches up.
 */
export class TurnLater {
  readonly #onFault: (error: unknown) => void;
  #waiting: (() => void)[] = [];
  #turn: NodeJS.Immediate | null = null;

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  add(work: () => void): void {
    this.#waiting.push(work);
    if (this.#waiting.length > MOST_WAITING) this.#next();
    this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  /** Does one thing at once, before whatever was put off. */
  now(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** Does all of it now. */
  catchUp(): void {
    while (this.#waiting.length > 0) this.#next();
  }

  #takeTurn(): void {
    for (let done = 0; done < MOST_A_TURN && this.#waiting.length > 0; done += 1) this.#next();
    this.#turn = this.#waiting.length === 0 ? null : setImmediate(() => this.#takeTurn());
  }

  #next(): void {
    const work = this.#waiting.shift();
    if (work !== undefined) this.now(work);
  }
}
