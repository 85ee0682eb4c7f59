import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/**
 * What a line does to what passes through it:
 *
 * - `clean`: it passes.
 * - `resets`: half of the connections are reset within a second, and half of those that come in their place.
 * - `stalls`: a connection is accepted, and nothing passes any more in either direction.
 * - `swallows`: what is asked passes, and half of an answer does; then nothing more comes.
 * - `cuts`: the same for half of the connections, which are then reset.
 */
export type Manner = 'clean' | 'resets' | 'stalls' | 'swallows' | 'cuts';

/** A connection as it comes and as it goes on. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Whether it is of the half to which a manner that spares the other half is meant. */
  isMeant: boolean;
}

/** A line to a server, whose manner holds for the connections that are open, too. */
export class BadLine {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #random: () => number;
  #manner: Manner = 'clean';
  #isNextMeant = true;
  /** The number of connections that were reset or went silent. */
  spoilt = 0;
  /** The time that an answer takes longer. */
  delayMs = 0;

  private constructor(
    target: { readonly host: string; readonly port: number },
    random: () => number,
  ) {
    this.#random = random;
    this.#server = createServer((near) => this.#join(near, dial(target.port, target.host)));
  }

  static async open(
    target: { readonly host: string; readonly port: number },
    random: () => number,
  ): Promise<BadLine> {
    const line = new BadLine(target, random);
    await new Promise<void>((done) => line.#server.listen(0, '127.0.0.1', done));
    return line;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the line has no port');
    return address.port;
  }

  /** Which half is meant is chosen anew: of the connections that outlived another manner none may have been meant. */
  turn(manner: Manner): void {
    this.#manner = manner;
    for (const pair of this.#pairs) pair.isMeant = this.#isMeant();
  }

  /** Every second one, so that whoever holds two in a row has one of each half. */
  #isMeant(): boolean {
    this.#isNextMeant = !this.#isNextMeant;
    return this.#isNextMeant;
  }

  close(): void {
    this.#server.close();
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  #join(near: Socket, far: Socket): void {
    const pair: Pair = { near, far, isMeant: this.#isMeant() };
    this.#pairs.add(pair);
    let isStuck = false;
    const getStuck = () => {
      if (!isStuck) this.spoilt += 1;
      isStuck = true;
    };
    const resetAfterMs = 50 + this.#random() * 950;
    const reset = () => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    const timer = setInterval(() => {
      if (this.#manner !== 'resets' || !pair.isMeant) return;
      this.spoilt += 1;
      reset();
    }, resetAfterMs);
    for (const one of [near, far]) {
      one.on('error', () => {});
      one.on('close', () => {
        clearInterval(timer);
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (bytes: Buffer) => {
      if (!isStuck && this.#manner !== 'stalls') far.write(bytes);
      if (this.#manner === 'stalls') getStuck();
    });
    far.on('data', (bytes: Buffer) => {
      if (isStuck) return;
      if (this.#manner === 'stalls') getStuck();
      else if (this.#manner === 'swallows' || (this.#manner === 'cuts' && pair.isMeant)) {
        getStuck();
        near.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
        if (this.#manner === 'cuts') setTimeout(reset, 20);
      } else if (this.delayMs === 0) near.write(bytes);
      else setTimeout(() => near.writable && near.write(bytes), this.delayMs);
    });
  }
}
