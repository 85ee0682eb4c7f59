import { AsyncLocalStorage } from 'node:async_hooks';
import { at, firstGiven, isObject, withoutAbsent } from '../../events/foreign/foreign-value.ts';
import { knownProvider } from '../../events/provider-name.ts';
import type { CallMeter } from '../client-contract.ts';
import { currentHold } from '../usage-scope.ts';
import { wordsOf } from '../words-of.ts';
import type { AnswerReading } from './answer-reading.ts';
import type { CallOutcome } from './call-event.ts';
import { callEvent } from './call-event.ts';
import type { IsMemory } from './measure-layers.ts';
import { weighRequest } from './measure-layers.ts';
import { RequestWeights } from './request-weights.ts';
import { watchParts } from './watch-parts.ts';

interface MiddlewareOptions<Version extends string> {
  /** The version of the AI SDK's middleware: `v2` for 5, `v3` for 6. @defaultvalue `v4`, for 7 */
  readonly specificationVersion?: Version;
  /** Whether a message of the prompt is memory that the application put in. @defaultvalue none is */
  readonly isMemory?: IsMemory;
}

/** What the AI SDK hands to a middleware, as far as it matters here. */
interface ModelCall {
  readonly params: object;
  readonly model: { readonly provider: string; readonly modelId: string };
}
interface Generating<Result> extends ModelCall {
  readonly doGenerate: () => PromiseLike<Result>;
}
interface Streaming<Result> extends ModelCall {
  readonly doStream: () => PromiseLike<Result>;
}

/**
 * Makes a middleware for `wrapLanguageModel` of the AI SDK: every step of an agent is recorded as
 * the call that it is.
 */
export function usageMiddleware<Version extends string = 'v4'>(
  meter: CallMeter,
  options: MiddlewareOptions<Version> = {},
) {
  const { specificationVersion = 'v4' as Version, isMemory = null } = options;
  return {
    specificationVersion,
    async wrapGenerate<Result>({ doGenerate, ...call }: Generating<Result>): Promise<Result> {
      const step = new Step(meter, call, isMemory);
      try {
        const result = await doGenerate();
        step.over({ kind: 'ok' }, () => readResult(result, call), 0);
        return result;
      } catch (error) {
        step.over(failedBy(error), NO_ANSWER, 0);
        throw error;
      }
    },
    async wrapStream<Result extends { readonly stream: ReadableStream<unknown> }>({
      doStream,
      ...call
    }: Streaming<Result>): Promise<Result> {
      const step = new Step(meter, call, isMemory);
      try {
        const result = await doStream();
        const parts = new Parts(at(result, 'response'), call);
        const stream = watchParts(result.stream, {
          take: (part) => step.shielded(() => parts.take(part)),
          end: () => step.over(parts.outcome, () => parts.answer, parts.characters),
          stopped: (error) => step.over(failedBy(error), () => parts.answer, parts.characters),
        });
        return { ...result, stream };
      } catch (error) {
        step.over(failedBy(error), NO_ANSWER, 0);
        throw error;
      }
    },
  };
}

/** One call of a model, recorded once; whatever goes wrong in that is told, and fails no call. */
class Step {
  readonly #meter: CallMeter;
  readonly #call: ModelCall;
  readonly #weights: RequestWeights;
  readonly #startedAt: number;
  readonly #inScope = AsyncLocalStorage.snapshot();
  readonly #hold = currentHold();
  #isOver = false;

  constructor(meter: CallMeter, call: ModelCall, isMemory: IsMemory | null) {
    this.#meter = meter;
    this.#call = call;
    this.#weights = new RequestWeights(meter, () =>
      this.#inScope(() => weighRequest(textOf(call.params), isMemory)),
    );
    this.#startedAt = meter.clock();
    this.#hold?.begin();
  }

  /** What an answer holds may throw as it is read; a call that was made is no failed one for that. */
  over(outcome: CallOutcome, read: () => StepAnswer, streamedCharacters: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const answer = this.shielded(read);
    if (answer === null) {
      this.#hold?.end();
      return;
    }
    const over = { outcome, answer, streamedCharacters, endedAt: this.#meter.clock() };
    // A guard looks at its hold as soon as its call is over.
    if (this.#hold !== null) this.#tried(over);
    else this.#meter.afterwards(() => this.#tried(over));
  }

  #tried(over: StepOver): void {
    this.shielded(() => this.#record(over));
    this.#hold?.end();
  }

  /** Answers null where it was told that the metering failed. */
  shielded<Value>(step: () => Value): Value | null {
    try {
      return step();
    } catch (error) {
      const reason = `the metering failed: ${wordsOf(error)}`;
      this.#meter.unmetered({ reason, event: null });
      return null;
    }
  }

  #record({ outcome, answer, streamedCharacters, endedAt }: StepOver): void {
    const { model } = this.#call;
    const isWeighed = outcome.kind !== 'error' || streamedCharacters > 0;
    const { requestId, ...read } = answer;
    const event = callEvent({
      operation: 'chat',
      outcome,
      answer: read,
      requestId,
      streamedCharacters,
      attempt: 1,
      provider: knownProvider(model.provider) ?? model.provider.replace(/\..*$/, ''),
      sent: { ...SENT, model: model.modelId },
      startedAt: this.#startedAt,
      endedAt,
      gatewayCallId: undefined,
      weights: isWeighed ? this.#weights.take() : null,
    });
    this.#inScope(() => this.#meter.meter(event));
  }
}

interface StepOver {
  readonly outcome: CallOutcome;
  readonly answer: StepAnswer;
  readonly streamedCharacters: number;
  readonly endedAt: number;
}

interface StepAnswer extends AnswerReading {
  readonly requestId?: string | undefined;
}

const NO_ANSWER = (): StepAnswer => ({});

const SENT = { serviceTier: undefined, isStream: false, text: null, spoken: null, asking: null };

/** Returns the request in the form in which it is weighed; files are no text. */
function textOf(params: object): string {
  const said = { messages: at(params, 'prompt'), tools: at(params, 'tools') };
  return JSON.stringify(said, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? undefined : value,
  );
}

function readResult(result: unknown, call: ModelCall): StepAnswer {
  const content = at(result, 'content');
  return {
    ...answerOf(result, call),
    ...searchesOf(Array.isArray(content) ? content : []),
  };
}

function answerOf(result: unknown, call: ModelCall): StepAnswer {
  const response = at(result, 'response');
  const metadata = at(result, 'providerMetadata');
  return {
    id: at(response, 'id'),
    model: at(response, 'modelId'),
    service_tier: at(metadata, 'openai', 'serviceTier'),
    usage: usageOf(at(result, 'usage'), metadata, call),
    requestId: requestIdOf(response, call),
  };
}

/** A gateway may hand back the id that the application sent, which may be that of several calls. */
function requestIdOf(response: unknown, { params }: ModelCall): string | undefined {
  const id = at(response, 'headers', 'x-request-id');
  const sent = at(params, 'headers');
  const isOwn = isObject(sent) && Object.values(sent).includes(id);
  return typeof id === 'string' && !isOwn ? id : undefined;
}

/**
 * Returns the provider's own counts, where the SDK hands them on; else the SDK's. Those of versions that count the whole
 * input are in the words of an interface whose totals hold their parts, as these do.
 */
function usageOf(usage: unknown, metadata: unknown, call: ModelCall): unknown {
  const own = firstGiven(
    at(usage, 'raw'),
    at(metadata, 'anthropic', 'usage'),
    at(metadata, 'google', 'usageMetadata'),
    at(metadata, 'vertex', 'usageMetadata'),
  );
  if (isObject(own)) return own;
  const [input, output] = [at(usage, 'inputTokens'), at(usage, 'outputTokens')];
  if (!isObject(input) && !isObject(output)) return usageOfVersion5(usage, metadata, call);
  const [asked, answered] = [numberIn(at(input, 'total')), numberIn(at(output, 'total'))];
  // A usage without either total is none: nobody counted a zero.
  if (asked === undefined && answered === undefined) return undefined;
  return {
    input_tokens: asked ?? 0,
    output_tokens: answered ?? 0,
    input_tokens_details: {
      cached_tokens: at(input, 'cacheRead'),
      cache_write_tokens: at(input, 'cacheWrite'),
    },
    output_tokens_details: { reasoning_tokens: at(output, 'reasoning') },
  };
}

/**
 * Returns the counts of version 5 in its own words: it hands on what each provider calls its input and output, and the
 * ledger knows whose hold what. What Bedrock wrote to its cache stands beside them, and the SDK's total of the two, which
 * leaves out what was cached, is not handed on with it.
 */
function usageOfVersion5(usage: unknown, metadata: unknown, call: ModelCall): unknown {
  const input = numberIn(at(usage, 'inputTokens'));
  const output = numberIn(at(usage, 'outputTokens'));
  if (input === undefined && output === undefined) return undefined;
  const cached = numberIn(at(usage, 'cachedInputTokens'));
  const written = writtenTo(metadata, cached, call);
  const parts =
    written === undefined
      ? {
          totalTokens: numberIn(at(usage, 'totalTokens')),
          cachedInputTokens: cached,
          reasoningTokens: numberIn(at(usage, 'reasoningTokens')),
        }
      : { cacheReadInputTokens: cached, cacheWriteInputTokens: written };
  return withoutAbsent({ inputTokens: input, outputTokens: output, ...parts });
}

/**
 * Returns what Bedrock wrote to its cache, which the SDK hands on wherever it was told of it: where its metadata has
 * none, and where there is neither metadata nor anything that was read, nothing was written. Of others nothing is told.
 */
function writtenTo(
  metadata: unknown,
  cached: number | undefined,
  call: ModelCall,
): number | undefined {
  const own = at(metadata, 'bedrock');
  const told = numberIn(at(own, 'usage', 'cacheWriteInputTokens'));
  if (told !== undefined || at(call.model, 'provider') !== 'amazon-bedrock') return told;
  return isObject(own) || (cached ?? 0) === 0 ? 0 : undefined;
}

/** What is no number is not handed on, as the count that the SDK could not make of two. */
function numberIn(count: unknown): number | undefined {
  return typeof count === 'number' && Number.isFinite(count) ? count : undefined;
}

/** Searches that the provider made by itself are paid for by themselves. */
function searchesOf(parts: readonly unknown[]): Pick<AnswerReading, 'output'> {
  const searches = parts.filter(
    (part) =>
      at(part, 'type') === 'tool-call' &&
      at(part, 'providerExecuted') === true &&
      /web_?search/i.test(String(at(part, 'toolName'))),
  );
  return searches.length === 0 ? {} : { output: searches.map(() => ({ type: 'web_search_call' })) };
}

/** What is known of a streamed step, part by part. */
class Parts {
  readonly #response: unknown;
  readonly #call: ModelCall;
  readonly #calls: unknown[] = [];
  #metadata: unknown;
  #finish: unknown;
  #error: unknown;
  #characters = 0;

  constructor(response: unknown, call: ModelCall) {
    this.#response = response;
    this.#call = call;
  }

  get characters(): number {
    return this.#characters;
  }

  get outcome(): CallOutcome {
    if (this.#error !== undefined) return failedBy(this.#error);
    return { kind: 'ok' };
  }

  get answer(): StepAnswer {
    const named = isObject(this.#metadata) ? this.#metadata : {};
    const response = { ...(isObject(this.#response) ? this.#response : {}), ...named };
    const usage = at(this.#finish, 'usage');
    const providerMetadata = at(this.#finish, 'providerMetadata');
    return {
      ...answerOf({ response, usage, providerMetadata }, this.#call),
      ...searchesOf(this.#calls),
    };
  }

  take(part: unknown): void {
    const type = at(part, 'type');
    const delta = at(part, 'delta');
    if (typeof delta === 'string') this.#characters += delta.length;
    if (type === 'response-metadata') this.#metadata = part;
    if (type === 'tool-call') this.#calls.push(part);
    if (type === 'finish') this.#finish = part;
    if (type === 'error') this.#error = at(part, 'error') ?? 'error';
  }
}

function failedBy(error: unknown): CallOutcome {
  const name = at(error, 'name') ?? (error instanceof Error ? error.name : undefined);
  if (error === undefined || name === 'AbortError') return { kind: 'cancelled' };
  const status = at(error, 'statusCode');
  const type = typeof status === 'number' ? `http_${status}` : name;
  return { kind: 'error', type: typeof type === 'string' ? type.slice(0, 100) : undefined };
}
