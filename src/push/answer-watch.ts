import { Refusal } from '../refusal.ts';

/**
 * Tells a service that is away from one question of many that it did not answer. The one is named, and hides
 * none of the others; after so many in a row, or where nothing at all was answered, nobody is there.
 */
export interface AnswerWatch {
  answered(): void;
  /** The reason why one question has no answer. Throws what is no lack of an answer, and when nobody is there. */
  unanswered(error: unknown): string;
  /** Throws where there were questions and no answer. */
  end(): void;
}

const MOST_IN_A_ROW = 8;

export function watchAnswers(): AnswerWatch {
  let inARow = 0;
  let isThere = false;
  let first: Refusal | null = null;
  return {
    answered() {
      inARow = 0;
      isThere = true;
    },
    unanswered(error) {
      if (!(error instanceof Refusal && error.kind === 'unavailable')) throw error;
      first ??= error;
      inARow += 1;
      if (inARow >= MOST_IN_A_ROW) throw error;
      return error.message;
    },
    end() {
      if (first !== null && !isThere) throw first;
    },
  };
}
