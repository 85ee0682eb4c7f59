import type { Actor } from './turns.ts';

/** One fault that waits for a statement: the connection is cut there, or the process is killed. */
export interface Trap {
  readonly does: 'cut' | 'kill';
  readonly when: 'before' | 'after';
  /** Whether whoever is cut off has heard of it before the next statement. */
  readonly isNoticed: boolean;
  /** Begins the statements that are meant; an empty text is any. */
  readonly statement: string;
  /** Statements like it that pass first. */
  skip: number;
  /** The actors that are meant, by the beginning of their names. */
  readonly of: string;
}

/** The faults that lie in wait for the statements of actors. */
export class Traps {
  readonly #set: Trap[] = [];

  add(trap: Trap): void {
    this.#set.push(trap);
  }

  clear(): void {
    this.#set.length = 0;
  }

  /** The trap that this statement steps into, which is then gone; null for nearly every one. */
  take(actor: Actor, statement: string): Trap | null {
    for (const trap of this.#set) {
      if (!actor.name.startsWith(trap.of) || !statement.startsWith(trap.statement)) continue;
      if (trap.skip > 0) {
        trap.skip -= 1;
        continue;
      }
      this.#set.splice(this.#set.indexOf(trap), 1);
      return trap;
    }
    return null;
  }
}
