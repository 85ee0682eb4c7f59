import { formatInstant, type InstantMs } from '../../clock.ts';
import { statusOfAnswer } from '../../events/foreign/answer-status.ts';
import type { ScopeHold } from '../usage-scope.ts';
import { wordsOf } from '../words-of.ts';
import type { AnswerReading } from './answer-reading.ts';
import { readAnswer } from './answer-reading.ts';
import { AnswerSkim } from './answer-skim.ts';
import type { InScope } from './background-calls.ts';
import { BatchLines } from './batch-lines.ts';
import type { CallOutcome } from './call-event.ts';
import { callEvent } from './call-event.ts';
import { weighRequest } from './measure-layers.ts';
import type { MeterParts } from './meter-options.ts';
import type { Endpoint, SentBody } from './provider-request.ts';
import { RequestWeights } from './request-weights.ts';
import { StreamReading } from './stream-reading.ts';
import type { BodyWatcher } from './watch-body.ts';

/** A call as it was begun. */
interface BegunCall {
  readonly endpoint: Endpoint;
  readonly url: URL;
  readonly sent: SentBody;
  readonly headers: Headers;
  readonly provider: string | undefined;
  readonly hold: ScopeHold | null;
  readonly attempt: number;
  readonly startedAt: InstantMs;
  readonly inScope: InScope;
}

const NOTHING = new Uint8Array(0);

/** Watches one request until its answer is read, and records it then, once. */
export class ResponseWatch {
  readonly #parts: MeterParts;
  readonly #call: BegunCall;
  readonly #weights: RequestWeights | null;
  #headers = new Headers();
  #endedAt: InstantMs | null = null;
  #isOver = false;

  constructor(parts: MeterParts, call: BegunCall) {
    this.#parts = parts;
    this.#call = call;
    this.#weights = weightsOf(parts, call);
    if (call.endpoint.kind === 'answer') call.hold?.begin();
  }

  get sent(): SentBody {
    return this.#call.sent;
  }

  /** The request was not answered at all. */
  failed(error: unknown): void {
    this.#over(stoppedBy(error), {}, 0);
  }

  /** Answers what is to look on while the body is read; null where there is nothing to see. */
  answered(response: Response): BodyWatcher | null {
    this.#headers = response.headers;
    const { kind } = this.#call.endpoint;
    if (!response.ok) return kind === 'answer' ? this.#watchAnswer(response) : null;
    if (kind === 'results') return this.#watchResults();
    const isStream = /event-stream/.test(response.headers.get('content-type') ?? '');
    return isStream ? this.#watchStream() : this.#watchAnswer(response);
  }

  #watchAnswer({ ok, status }: Response): BodyWatcher {
    const type = this.#headers.get('content-type') ?? '';
    const body = new AnswerBody(/json|^$/.test(type));
    const outcome: CallOutcome = ok ? { kind: 'ok' } : { kind: 'error', type: undefined };
    return this.#shielded({
      take: (bytes) => {
        body.add(bytes);
        return bytes;
      },
      end: () => {
        this.#afterwards(() => {
          const answer = body.read();
          const error = ok ? answer.error : (answer.error ?? `http_${status}`);
          this.#answerRead(outcome, { ...answer, error });
        });
        return NOTHING;
      },
      // An SDK that will try again does not read what failed.
      stopped: (error) =>
        this.#afterwards(() =>
          this.#over(ok ? stoppedBy(error) : failedAs(`http_${status}`), body.read(), 0),
        ),
    });
  }

  /** An answer may say that the call goes on, or tell of one that was made before. */
  #answerRead(outcome: CallOutcome, answer: AnswerReading): void {
    const { endpoint, inScope, url } = this.#call;
    const { background } = this.#parts;
    const id = typeof answer.id === 'string' ? answer.id : '';
    if (endpoint.kind === 'batch') {
      if (typeof answer.ended_at === 'string') background.batchEnded(id, answer.ended_at);
      return;
    }
    const isUnderWay = answer.status === 'queued' || answer.status === 'in_progress';
    if (endpoint.kind === 'poll') {
      const isPolled = url.pathname.endsWith(id) && answer.background === true;
      if (!isPolled || isUnderWay || !background.isNews(id)) return;
      const made = background.scopeOf(id) ?? inScope;
      made(() => this.#over(finishedAs(answer, outcome), answer, 0));
      return;
    }
    if (isUnderWay && id !== '') {
      background.began(id, inScope);
      this.#close();
      return;
    }
    if (answer.background === true && id !== '') background.isNews(id);
    this.#over(finishedAs(answer, outcome), answer, 0);
  }

  #watchStream(): BodyWatcher {
    const hides = this.#call.sent.asking !== null;
    const stream = new StreamReading(hides);
    const [decoder, encoder] = [new TextDecoder(), new TextEncoder()];
    const note = () => {
      if (stream.isOver) this.#streamOver(stream, { kind: 'ok' });
    };
    return this.#shielded({
      take: (bytes) => {
        const shown = stream.take(decoder.decode(bytes, { stream: true }));
        note();
        return hides ? encoder.encode(shown) : bytes;
      },
      end: () => {
        const shown = stream.take(decoder.decode()) + stream.finish();
        this.#streamOver(stream, { kind: 'ok' });
        return hides ? encoder.encode(shown) : NOTHING;
      },
      stopped: (error) => this.#streamOver(stream, stoppedBy(error)),
    });
  }

  #streamOver({ answer, characters }: StreamReading, outcome: CallOutcome): void {
    if (this.#endedAt !== null) return;
    const { background } = this.#parts;
    this.#afterwards(() => {
      if (answer.background === true && typeof answer.id === 'string') background.isNews(answer.id);
      this.#over(outcome.kind === 'ok' ? finishedAs(answer, outcome) : outcome, answer, characters);
    });
  }

  #watchResults(): BodyWatcher {
    const { url, inScope } = this.#call;
    const [, batchId = ''] = /\/batches\/([^/]+)\/results$/.exec(url.pathname) ?? [];
    const { meter, options, background } = this.#parts;
    const endedAt = background.endOfBatch(batchId) ?? formatInstant(meter.clock());
    const lines = new BatchLines({ meter, options, endedAt, inScope });
    return this.#shielded({
      take: (bytes) => {
        lines.take(bytes);
        return bytes;
      },
      end: () => {
        lines.end();
        return NOTHING;
      },
      stopped: () => {},
    });
  }

  /** The application gets its bytes even if watching them fails. */
  #shielded(watcher: BodyWatcher): BodyWatcher {
    return {
      take: (bytes) => {
        try {
          return watcher.take(bytes);
        } catch (error) {
          this.#failedToMeter(error);
          return bytes;
        }
      },
      end: () => {
        try {
          return watcher.end();
        } catch (error) {
          this.#failedToMeter(error);
          return NOTHING;
        }
      },
      stopped: (error) => this.#tried(() => watcher.stopped(error)),
    };
  }

  /**
   * The call is over. A guard looks at its hold as soon as its call is over, so a call of which one knows is recorded at
   * once, whatever keeps it.
   */
  #afterwards(work: () => void): void {
    const { hold, inScope, endpoint } = this.#call;
    this.#endedAt ??= this.#parts.meter.clock();
    if (hold !== null || endpoint.kind === 'batch') work();
    else this.#parts.meter.afterwards(() => inScope(() => this.#tried(work)));
  }

  #tried(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failedToMeter(error);
    }
  }

  #failedToMeter(error: unknown): void {
    this.#close();
    this.#parts.meter.unmetered({ reason: `the metering failed: ${wordsOf(error)}`, event: null });
  }

  #over(outcome: CallOutcome, answer: AnswerReading, streamedCharacters: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#record(outcome, answer, streamedCharacters);
    } finally {
      if (this.#call.endpoint.kind === 'answer') this.#call.hold?.end();
    }
  }

  #record(outcome: CallOutcome, answer: AnswerReading, streamedCharacters: number): void {
    const { endpoint, sent, provider, attempt, startedAt, inScope } = this.#call;
    const { meter } = this.#parts;
    const isWeighed = outcome.kind !== 'error' || streamedCharacters > 0;
    const event = callEvent({
      operation: endpoint.operation,
      provider,
      sent,
      attempt,
      startedAt,
      outcome,
      answer,
      endedAt: this.#endedAt ?? meter.clock(),
      requestId: this.#requestId('x-request-id') ?? this.#requestId('request-id'),
      gatewayCallId: this.#header('x-litellm-call-id'),
      weights: isWeighed ? (this.#weights?.take() ?? null) : null,
      streamedCharacters,
    });
    if (endpoint.kind === 'poll') meter.meter(event);
    else inScope(() => meter.meter(event));
  }

  /** The call is over without an event of its own. */
  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#call.endpoint.kind === 'answer') this.#call.hold?.end();
  }

  /** A gateway may hand back the id that the application sent, which may be that of several calls. */
  #requestId(name: string): string | undefined {
    const id = this.#header(name);
    return id === this.#call.headers.get(name) ? undefined : id;
  }

  #header(name: string): string | undefined {
    const value = this.#headers.get(name);
    return value === null || value === '' || value.length > 150 ? undefined : value;
  }
}

/** Returns null where the request has no text of its own. */
function weightsOf(
  { meter, options }: MeterParts,
  { endpoint, sent, inScope }: BegunCall,
): RequestWeights | null {
  const { text } = sent;
  if (endpoint.kind !== 'answer' || text === null) return null;
  return new RequestWeights(meter, () =>
    inScope(() => weighRequest(text, options.isMemory ?? null)),
  );
}

/** Who stops reading, or aborts, cancels; everything else is a fault. */
function stoppedBy(error: unknown): CallOutcome {
  if (!(error instanceof Error)) return { kind: 'cancelled' };
  if (error.name === 'AbortError') return { kind: 'cancelled' };
  return failedAs(error.name === 'TimeoutError' ? 'timeout' : 'connection');
}

function failedAs(type: string): CallOutcome {
  return { kind: 'error', type };
}

function finishedAs(answer: AnswerReading, outcome: CallOutcome): CallOutcome {
  if (outcome.kind !== 'ok') return outcome;
  const kind = statusOfAnswer(answer);
  return kind === 'error' ? { kind, type: undefined } : { kind };
}

const MOST_KEPT = 1024 * 1024;

/** The bytes of an answer, or where it is long what is read of it while it comes; of what is no JSON nothing. */
class AnswerBody {
  readonly #isJson: boolean;
  readonly #decoder = new TextDecoder();
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #skim: AnswerSkim | null = null;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  add(bytes: Uint8Array): void {
    if (!this.#isJson) return;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#skim === null && this.#bytes <= MOST_KEPT) return;
    this.#skim ??= new AnswerSkim();
    for (const chunk of this.#chunks)
      this.#skim.take(this.#decoder.decode(chunk, { stream: true }));
    this.#chunks = [];
  }

  read(): AnswerReading {
    if (this.#skim !== null) return this.#skim.answer;
    return readAnswer(Buffer.concat(this.#chunks).toString('utf8')) ?? {};
  }
}
