import type { InstantMs } from '../../clock.ts';
import type { CallMeter, RecordAnswer } from '../client-contract.ts';
import type { UsageTags } from '../usage-scope.ts';
import { currentTags, withUsage } from '../usage-scope.ts';
import { uuid7 } from '../uuid7.ts';
import { wordsOf } from '../words-of.ts';
import type { SpanFields } from './span-event.ts';
import { spanEvent, tagsIn } from './span-event.ts';

/**
 * Traces and spans in the shape that agent-cost products use. Input and output may hold the whole prompt and the
 * whole answer: models, tokens and tags are read from them, and nothing else leaves the process.
 */

export interface TraceStart {
  readonly name?: string;
  /** Tags in snake case: those that are known, and up to twenty further ones. */
  readonly metadata?: SpanFields;
  /** Who gives the id of a trace and of its spans has the same events again when a job is repeated. */
  readonly id?: string;
  readonly startedAt?: InstantMs;
}

export interface SpanStart extends TraceStart {
  readonly input?: unknown;
}

export interface SpanEnd {
  /** @defaultvalue `ok` */
  readonly status?: 'ok' | 'success' | 'error' | 'cancelled';
  readonly output?: unknown;
  readonly metadata?: SpanFields;
  /** The kind of the error, such as `rate_limit`; its words are not kept. */
  readonly errorType?: string;
  readonly endedAt?: InstantMs;
}

export interface UsageSpan {
  readonly spanId: string;
  /** Begins a span within this one, with the tags of this one. */
  addSpan(start?: SpanStart): Promise<UsageSpan>;
  /** Calls recorded in the function, also by wrappers, are placed below this span with its tags. */
  run<Result>(fn: () => Result): Result;
  /** Records the span; a second end changes nothing and has the first one's answer. */
  end(end?: SpanEnd): Promise<RecordAnswer>;
}

export interface UsageTrace extends UsageSpan {
  readonly traceId: string;
}

/** The id of a trace's own span. */
const ROOT = '0';

export function startTrace(meter: CallMeter, given: TraceStart = {}): UsageTrace {
  const start = readStart(meter, given);
  const traceId = start.id ?? currentTags().traceId ?? uuid7(meter.clock());
  const place = { traceId, spanId: ROOT, parentSpanId: currentTags().parentSpanId ?? null };
  const root = new RunningSpan({ meter, place, start, outer: currentTags(), isRoot: true });
  return {
    traceId,
    spanId: root.spanId,
    addSpan: (of) => root.addSpan(of),
    run: (fn) => root.run(fn),
    end: (end) => root.end(end),
  };
}

interface SpanPlace {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
}

interface SpanOptions {
  readonly meter: CallMeter;
  readonly place: SpanPlace;
  readonly start: SpanStart;
  readonly outer: UsageTags;
  readonly isRoot: boolean;
}

class RunningSpan implements UsageSpan {
  readonly #options: SpanOptions;
  readonly #tags: UsageTags;
  readonly #startedAt: InstantMs;
  #children = 0;
  #answer: RecordAnswer | null = null;

  constructor(options: SpanOptions) {
    const { meter, start, outer, place } = options;
    this.#options = options;
    this.#startedAt = start.startedAt ?? meter.clock();
    const own = tried(meter, () => tagsIn([start.metadata], outer)) ?? outer;
    this.#tags = { ...own, traceId: place.traceId, parentSpanId: place.spanId };
  }

  get spanId(): string {
    return this.#options.place.spanId;
  }

  async addSpan(given: SpanStart = {}): Promise<UsageSpan> {
    this.#children += 1;
    const { meter, place, isRoot } = this.#options;
    const start = readStart(meter, given);
    const counted = isRoot ? `${this.#children}` : `${place.spanId}.${this.#children}`;
    const spanId = start.id ?? counted;
    const below = { traceId: place.traceId, spanId, parentSpanId: place.spanId };
    return new RunningSpan({ meter, place: below, start, outer: this.#tags, isRoot: false });
  }

  run<Result>(fn: () => Result): Result {
    return withUsage(this.#tags, fn);
  }

  async end(end: SpanEnd = {}): Promise<RecordAnswer> {
    this.#answer ??= this.#record(end);
    return this.#answer;
  }

  #record(end: SpanEnd): RecordAnswer {
    const { meter, place, start, isRoot } = this.#options;
    const event = tried(meter, () => {
      const times = { startedAt: this.#startedAt, endedAt: end.endedAt ?? meter.clock() };
      return spanEvent({ place, times, start, end, inherited: this.#tags, isRoot });
    });
    return event === null ? UNREADABLE : meter.meter(event);
  }
}

const UNREADABLE: RecordAnswer = {
  kind: 'refused',
  reason: 'invalid_field',
  detail: 'the span cannot be read; hand over plain objects, texts and numbers',
};

function readStart(meter: CallMeter, given: SpanStart): SpanStart {
  return tried(meter, () => ({ ...given })) ?? {};
}

/** What an application hands over may throw as it is read; that is told, and fails nothing of it. */
function tried<Value>(meter: CallMeter, read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    meter.unmetered({ reason: `a span cannot be read: ${wordsOf(error)}`, event: null });
    return null;
  }
}
