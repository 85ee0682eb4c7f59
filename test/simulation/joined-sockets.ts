import { Agent } from 'node:http';
import { Duplex } from 'node:stream';
import { outsideOfActors } from './virtual-time.ts';

/** Connects HTTP clients of this process to a server in it. */
export function joinedAgent(accept: (connection: Duplex) => void, onChunk: () => void): Agent {
  return new JoiningAgent(accept, onChunk);
}

/**
 * No kernel lies between: whatever one side writes is with the other within the same turn of the loop, however busy
 * the machine is. Everything above the connection is real, its parser and its faults.
 */
class JoiningAgent extends Agent {
  readonly #accept: (connection: Duplex) => void;
  readonly #onChunk: () => void;

  constructor(accept: (connection: Duplex) => void, onChunk: () => void) {
    super({ keepAlive: false });
    this.#accept = accept;
    this.#onChunk = onChunk;
  }

  override createConnection(): Duplex {
    const here = new JoinedSocket(this.#onChunk);
    const there = new JoinedSocket(this.#onChunk);
    here.join(there);
    there.join(here);
    outsideOfActors(() => this.#accept(there));
    return here;
  }
}

class JoinedSocket extends Duplex {
  readonly #onChunk: () => void;
  #other: JoinedSocket | null = null;
  #goOn: (() => void) | null = null;
  #isEnded = false;

  constructor(onChunk: () => void) {
    super({ allowHalfOpen: false });
    this.#onChunk = onChunk;
  }

  join(other: JoinedSocket): void {
    this.#other = other;
  }

  override _read(): void {
    const goOn = this.#goOn;
    this.#goOn = null;
    goOn?.();
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    const other = this.#other;
    if (other === null || other.destroyed) done(brokenBy('EPIPE'));
    else outsideOfActors(() => other.#take(chunk, done));
  }

  override _final(done: () => void): void {
    this.#endOther();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#endOther();
    done(error);
  }

  /** As a server resets a connection that it wants to be rid of. */
  resetAndDestroy(): void {
    outsideOfActors(() => this.#other?.destroy(brokenBy('ECONNRESET')));
    this.destroy();
  }

  #take(chunk: Buffer, done: () => void): void {
    this.#onChunk();
    if (this.push(chunk)) done();
    else this.#goOn = done;
  }

  #endOther(): void {
    const other = this.#other;
    this.#onChunk();
    if (other === null || other.destroyed || other.#isEnded) return;
    other.#isEnded = true;
    outsideOfActors(() => other.push(null));
  }

  // What HTTP asks of a socket besides: nothing here takes time.
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function brokenBy(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code, syscall: 'write' });
}
