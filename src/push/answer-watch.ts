import { Refusal } from '../refusal.ts';
import { isOfOne } from './destination.ts';

/**
 * Tells a service that is away from one question of many that it did not answer. The one is named, and hides
 * none of the others; after so many in a row, or where nothing at all was answered, nobody is there.
 */
export interface AnswerWatch {
  answered(): void;
  /**
   * The reason why one question came to nothing. A refusal of the one is an answer, and says that somebody is
   * there. Throws what is neither that nor a lack of an answer, and when nobody is there.
   */
  reasonOf(error: unknown): string;
  /** Throws where there were questions and no answer. */
  end(): void;
}

const MOST_IN_A_ROW = 8;

export function watchAnswers(): AnswerWatch {
  let inARow = 0;
  let isThere = false;
  let first: Refusal | null = null;
  const answered = () => {
    inARow = 0;
    isThere = true;
  };
  return {
    answered,
    reasonOf(error) {
      if (isOfOne(error)) {
        answered();
        return error.message;
      }
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
