import type { DaysForReading, DayVersion, ReadDay } from '../parts.ts';

interface KeptDay<Row> extends DayVersion {
  readonly rows: readonly Row[];
}

type Days<Row> = ReadonlyMap<string, KeptDay<Row>>;

/** Rows of all questions together: some ten megabytes. The questions that were asked longest ago go first. */
const MOST_ROWS = 30_000;

/**
 * The sums of days that a server keeps. What a fold brings is of few days, and mostly of one, so whoever asks again has
 * those summed alone: the others are as they were, which the database says of each with every answer.
 */
export class KeptDays implements DaysForReading {
  readonly #questions = new Map<string, Days<unknown>>();

  async ask<Row>(
    question: string,
    read: (known: readonly DayVersion[]) => Promise<readonly ReadDay<Row>[]>,
  ): Promise<readonly Row[]> {
    const known = (this.#questions.get(question) ?? new Map()) as Days<Row>;
    const found = await read([...known.values()]);
    const days = found.map((day): KeptDay<Row> => {
      const rows = day.rows ?? known.get(nameOf(day))?.rows;
      if (rows === undefined) throw new Error(`the day ${nameOf(day)} was neither kept nor read`);
      return { ...day, rows };
    });
    // Somebody else's question about other days may have been answered meanwhile.
    const latest = this.#questions.get(question) ?? known;
    this.#keep(question, new Map([...latest, ...days.map((day) => [nameOf(day), day] as const)]));
    return days.flatMap(({ rows }) => rows);
  }

  #keep(question: string, days: Days<unknown>): void {
    this.#questions.delete(question);
    this.#questions.set(question, days);
    let rows = [...this.#questions.values()].reduce((all, of) => all + rowsOf(of), 0);
    for (const [oldest, of] of this.#questions) {
      if (rows <= MOST_ROWS) return;
      this.#questions.delete(oldest);
      rows -= rowsOf(of);
    }
  }
}

function nameOf({ periodStart, day }: DayVersion): string {
  return `${periodStart}/${day}`;
}

function rowsOf(days: Days<unknown>): number {
  return [...days.values()].reduce((all, { rows }) => all + rows.length, 0);
}
