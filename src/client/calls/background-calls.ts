/** Runs a function in the scope in which a call was made. */
export type InScope = <Result>(fn: () => Result) => Result;

const MOST = 10_000;

/**
 * Calls that go on after their request was answered: who made them, and which are recorded already. Another process
 * that reads one makes the same event of it, which the ledger knows.
 */
export class BackgroundCalls {
  readonly #scopes = new Map<string, InScope>();
  readonly #recorded = new Set<string>();
  readonly #endedAt = new Map<string, string>();

  began(responseId: string, inScope: InScope): void {
    remember(this.#scopes, responseId, inScope);
  }

  /** The scope of whoever made the call; null where another process did. */
  scopeOf(responseId: string): InScope | null {
    return this.#scopes.get(responseId) ?? null;
  }

  /** Answers whether it was not recorded before. */
  isNews(responseId: string): boolean {
    if (this.#recorded.has(responseId)) return false;
    this.#recorded.add(responseId);
    const [oldest] = this.#recorded;
    if (this.#recorded.size > MOST && oldest !== undefined) this.#recorded.delete(oldest);
    return true;
  }

  batchEnded(batchId: string, at: string): void {
    remember(this.#endedAt, batchId, at);
  }

  endOfBatch(batchId: string): string | undefined {
    return this.#endedAt.get(batchId);
  }
}

function remember<Value>(known: Map<string, Value>, id: string, value: Value): void {
  known.delete(id);
  known.set(id, value);
  const [oldest] = known.keys();
  if (known.size > MOST && oldest !== undefined) known.delete(oldest);
}
