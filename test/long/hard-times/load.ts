import type { startFauxqs } from 'fauxqs';
import { nativeEvent } from '../../support/ledger.ts';
import type { Actor } from './actor.ts';
import { later } from './own-postgres.ts';

interface LoadParts {
  readonly queue: Awaited<ReturnType<typeof startFauxqs>>;
  readonly key: string;
  readonly tenants: number;
  readonly month: string;
}

/** Answers of a server by their status; what is wrong with one of them. */
export interface Answers {
  readonly byStatus: Map<number, number>;
  readonly faults: string[];
}

/** Producers that never stop: messages to the queue, and requests that are sent until they are taken. */
export class Load {
  readonly #parts: LoadParts;
  #stop = new AbortController();
  #running: Promise<unknown>[] = [];
  #made = 0;
  /** Ids of events that were accepted: they are in a message, or a server answered 2xx. */
  readonly accepted = new Set<string>();
  /** Ids of events that were offered, accepted or not. */
  readonly offered = new Set<string>();
  /** The events of each message that went to the queue by us. */
  readonly messages = new Map<string, readonly string[]>();
  readonly answers = new Map<string, Answers>();
  /** Padding in the tags of each event, to make packs heavy. */
  padding = 0;
  /** Whether some messages hold what says no time, and is dated by its receipt. */
  undated = false;
  eventsAMessage = 6;
  pauseMs = 100;

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  start(servers: readonly Actor[]): void {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#running = [
      this.#sendByQueue(signal),
      ...servers.map((server) => this.#sendByHttp(signal, server)),
    ];
  }

  stop(): void {
    this.#stop.abort();
  }

  async stopped(): Promise<void> {
    this.stop();
    await Promise.all(this.#running);
  }

  #events(way: string): readonly Record<string, unknown>[] {
    return Array.from({ length: this.eventsAMessage }, () => {
      this.#made += 1;
      const event_id = `${way}-${this.#made}`;
      this.offered.add(event_id);
      const day = String(1 + (this.#made % 27)).padStart(2, '0');
      const { month, tenants } = this.#parts;
      const tags = this.padding === 0 ? {} : { tags: { padding: 'x'.repeat(this.padding) } };
      const occurred_at = `${month}-${day}T12:00:00Z`;
      return nativeEvent({
        ...{ event_id, occurred_at, tenant_id: `t${this.#made % tenants}` },
        ...tags,
      });
    });
  }

  async #sendByQueue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const events = this.#events('q');
      const ids = events.map(({ event_id }) => String(event_id));
      const { messageId } = this.#parts.queue.sendMessage('usage', JSON.stringify({ events }));
      this.messages.set(messageId, ids);
      for (const id of ids) this.accepted.add(id);
      if (this.undated) this.#sendUndated();
      await later(this.pauseMs);
    }
  }

  /** The result of a call in a batch, as a provider hands it out, which says no time. */
  #sendUndated(): void {
    this.#made += 1;
    const usage = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
    const body = {
      id: `chatcmpl-${this.#made}`,
      object: 'chat.completion',
      model: 'gpt-4o',
      usage,
    };
    const response = { status_code: 200, request_id: `r${this.#made}`, body };
    const id = `batch_req_${this.#made}`;
    const line = { id, custom_id: `tenant=t1/u-${this.#made}`, response, error: null };
    this.#parts.queue.sendMessage('usage', JSON.stringify(line));
  }

  async #sendByHttp(signal: AbortSignal, server: Actor): Promise<void> {
    const answers: Answers = { byStatus: new Map(), faults: [] };
    this.answers.set(server.name, answers);
    while (!signal.aborted) {
      const events = this.#events(server.name);
      while (!signal.aborted) {
        const status = await this.#post(server, events, answers);
        if (status === 202) {
          for (const { event_id } of events) this.accepted.add(String(event_id));
          break;
        }
        await later(200);
      }
      await later(this.pauseMs * 2);
    }
  }

  async #post(server: Actor, events: readonly object[], answers: Answers): Promise<number> {
    if (server.url === null) return 0;
    const count = (status: number) =>
      answers.byStatus.set(status, (answers.byStatus.get(status) ?? 0) + 1);
    try {
      const response = await fetch(`${server.url}/v1/events`, {
        method: 'POST',
        body: JSON.stringify(events),
        headers: {
          authorization: `Bearer ${this.#parts.key}`,
          'content-type': 'application/json',
        },
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      count(response.status);
      if (response.status === 503 && response.headers.get('retry-after') === null)
        answers.faults.push(`503 without Retry-After: ${text.slice(0, 200)}`);
      if (response.status !== 503 && response.status !== 202)
        answers.faults.push(`${response.status}: ${text.slice(0, 200)}`);
      return response.status;
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      count(isLate ? -1 : 0);
      if (isLate) answers.faults.push('no answer within 60 s');
      return 0;
    }
  }
}
