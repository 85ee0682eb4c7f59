import { Refusal } from '../../refusal.ts';
import type { LetIn } from './event-keeper.ts';

/**
 * Bounds what requests hold at once. Where events come faster than they become durable, they would pile up in the
 * memory of this process until it ends, and everything with it; so producers are asked to wait instead.
 */
export class InHand {
  readonly #mostCharacters: number;
  readonly #where: string;
  #characters = 0;

  constructor(mostCharacters: number, where: string) {
    this.#mostCharacters = mostCharacters;
    this.#where = where;
  }

  /** Holds events while they are kept. A request is let in alone, however large it is. */
  async hold<Kept>(events: readonly LetIn[], keep: () => Promise<Kept>): Promise<Kept> {
    const size = events.reduce((sum, { json }) => sum + json.length, 0);
    if (this.#characters > 0 && this.#characters + size > this.#mostCharacters) {
      throw new Refusal(
        'unavailable',
        `too much is under way to ${this.#where}`,
        'send the same events again; those that did arrive are duplicates then',
      );
    }
    this.#characters += size;
    try {
      return await keep();
    } finally {
      this.#characters -= size;
    }
  }
}
