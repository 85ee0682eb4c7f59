import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/**
 * What a line does to what passes through it:
 *
 * - `clean`: it passes.
 * - `resets`: half of the connections are reset within a second.
 * - `stalls`: a connection is accepted, and nothing passes any more in either direction.
 * - `swallows`: what is asked passes, and half of an answer does; then nothing more comes.
 * - `cuts`: the same, and then the connection is reset.
 */
export type Manner = 'clean' | 'resets' | 'stalls' | 'swallows' | 'cuts';

/** A line to a server, whose manner holds for the connections that are open, too. */
export class BadLine {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #random: () => number;
  manner: Manner = 'clean';
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

  close(): void {
    this.#server.close();
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  #join(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    let isStuck = false;
    const isMeant = this.#random() < 0.5;
    const resetAfterMs = 50 + this.#random() * 950;
    const reset = () => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    const timer = setInterval(() => {
      if (this.manner === 'resets' && isMeant) reset();
    }, resetAfterMs);
    for (const one of pair) {
      one.on('error', () => {});
      one.on('close', () => {
        clearInterval(timer);
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (bytes: Buffer) => {
      if (!isStuck && this.manner !== 'stalls') far.write(bytes);
      if (this.manner === 'stalls') isStuck = true;
    });
    far.on('data', (bytes: Buffer) => {
      if (isStuck) return;
      if (this.manner === 'stalls') isStuck = true;
      else if (this.manner === 'swallows' || (this.manner === 'cuts' && isMeant)) {
        isStuck = true;
        near.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
        if (this.manner === 'cuts') setTimeout(reset, 20);
      } else if (this.delayMs === 0) near.write(bytes);
      else setTimeout(() => near.writable && near.write(bytes), this.delayMs);
    });
  }
}
