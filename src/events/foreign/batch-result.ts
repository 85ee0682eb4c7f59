import { createHash } from 'node:crypto';
import { readProviderUsage } from '../provider-usage.ts';
import { searchesIn } from '../tool-usage.ts';
import { type CallStatus, statusOfAnswer } from './answer-status.ts';
import { countOf, isCount } from './foreign-count.ts';
import { timeFromAny } from './foreign-time.ts';
import { type NativeUsage, NO_USAGE, usageOfCall } from './foreign-usage.ts';
import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  isObject,
  type JsonObject,
  parseJson,
  withoutAbsent,
} from './foreign-value.ts';
import { costInUsage } from './reported-cost.ts';
import { type Translation, type Translator, translationOf } from './translation.ts';

/**
 * Lines of the file in which a provider gives the results of a batch. The usage is the provider's own, as
 * in provider-usage.ts, and the tier is `batch`:
 *
 * | provider  | a line is                                                  | instant                        | its own id                   |
 * |-----------|------------------------------------------------------------|--------------------------------|------------------------------|
 * | OpenAI    | {id, custom_id, response: {status_code, body}, error}      | body.created; else its receipt | id                           |
 * | Groq, Mistral, Together | the same                                     | body.created                   | id                           |
 * | Anthropic | {custom_id, result: {type, message, error}}                | its receipt                    | message.id, error.request_id |
 * | Bedrock   | {recordId, modelInput, modelOutput, error}                 | its receipt                    | modelOutput.id, its content  |
 * | Gemini    | {key, response, error}                                     | its receipt                    | responseId                   |
 * | Vertex AI | {request, response, status, processed_time}                | processed_time; else createTime | responseId, its content     |
 *
 * A line that has no id of its own is known by the name that the batch gave it alone: one of Anthropic's that was cancelled or
 * expired, of Bedrock's or Gemini's that failed. Such calls of two batches that name theirs alike are one event, or a
 * conflict where they failed otherwise. All of them are free.
 *
 * Most answers name their model. Those of Titan, Nova and Llama on Bedrock and those with images of OpenAI do not, and
 * neither does the manifest of Bedrock's job: only the job knows it. So whoever sends such lines says it, beside
 * each line as `modelId`, or in the key of the object that they lie in.
 */
export const batchResultTranslator: Translator = {
  format: 'batch-result',
  recognizes: (value) => lineOf(value) !== null,
  translate: (value) => {
    const line = lineOf(value);
    return line === null ? [] : [translateLine({ ...line, model: at(value, 'modelId') })];
  },
};

interface Line extends ResultLine {
  /** The model that whoever sends the line names beside it. */
  readonly model: unknown;
}

interface ResultLine {
  readonly source: string;
  /** It is absent where nobody can tell whose answer it is. */
  readonly provider: string | undefined;
  readonly id: unknown;
  readonly customId: unknown;
  /** The provider's response; what it lacks where the call failed. */
  readonly body: unknown;
  readonly request: unknown;
  readonly status: CallStatus;
  readonly errorType: unknown;
  /** When it was answered, where the line says it beside the answer. */
  readonly answeredAt?: unknown;
}

function lineOf(value: object): ResultLine | null {
  return openaiLine(value) ?? anthropicLine(value) ?? bedrockLine(value) ?? geminiLine(value);
}

function openaiLine(line: object): ResultLine | null {
  const response = at(line, 'response');
  if (at(line, 'custom_id') === undefined || !Object.hasOwn(line, 'response')) return null;
  const code = at(response, 'status_code');
  const failed = !isObject(response) || (typeof code === 'number' && code >= 400);
  const error = firstGiven(at(line, 'error', 'code'), at(response, 'body', 'error', 'code'));
  return {
    source: 'openai_batch',
    provider: providerOfAnswer(at(response, 'body')),
    id: at(line, 'id'),
    customId: at(line, 'custom_id'),
    body: at(response, 'body'),
    request: undefined,
    status: failed ? 'error' : statusOfAnswer(at(response, 'body')),
    errorType: error ?? (failed && code !== undefined ? `http_${String(code)}` : undefined),
  };
}

const MISTRALS =
  /^(?:open-)?(?:mistral|ministral|mixtral|magistral|codestral|devstral|pixtral|voxtral)/;

/** Others answer in OpenAI's form, too: Groq times its answers, Mistral's models have its name, and many name the maker. */
function providerOfAnswer(body: unknown): string | undefined {
  if (at(body, 'x_groq') !== undefined || at(body, 'usage', 'queue_time') !== undefined) {
    return 'groq';
  }
  const model = String(at(body, 'model') ?? '');
  if (MISTRALS.test(model)) return 'mistral_ai';
  // Whoever offers the models of other makers cannot be told from another one who does.
  return model.includes('/') ? undefined : 'openai';
}

const ANTHROPIC_STATUS = {
  succeeded: 'ok',
  errored: 'error',
  canceled: 'cancelled',
  expired: 'cancelled',
} as const;

function anthropicLine(line: object): ResultLine | null {
  const type = at(line, 'result', 'type');
  const isKnown = typeof type === 'string' && Object.hasOwn(ANTHROPIC_STATUS, type);
  if (!isKnown || at(line, 'custom_id') === undefined) return null;
  const message = at(line, 'result', 'message');
  const request = at(line, 'result', 'error', 'request_id');
  return {
    source: 'anthropic_batch',
    provider: 'anthropic',
    // The name of a request is that of many, since each batch may count its own anew.
    id: firstGiven(at(message, 'id'), request),
    customId: at(line, 'custom_id'),
    body: message,
    request: undefined,
    status: ANTHROPIC_STATUS[type as keyof typeof ANTHROPIC_STATUS],
    errorType: firstGiven(
      at(line, 'result', 'error', 'error', 'type'),
      at(line, 'result', 'error', 'type'),
    ),
  };
}

function bedrockLine(line: object): ResultLine | null {
  if (at(line, 'recordId') === undefined || !Object.hasOwn(line, 'modelInput')) return null;
  const output = at(line, 'modelOutput');
  const isAnswered = isObject(output) && Object.keys(output).length > 0;
  return {
    source: 'bedrock_batch',
    provider: 'aws.bedrock',
    // Records are counted anew in each job, so that their own id alone is that of many calls.
    id: isAnswered ? firstGiven(at(output, 'id'), fingerprint(line, ASKED_OF_BEDROCK)) : undefined,
    customId: at(line, 'recordId'),
    body: output,
    request: at(line, 'modelInput'),
    status: isAnswered ? 'ok' : 'error',
    errorType: firstGiven(at(line, 'error', 'errorCode'), at(line, 'error', 'errorMessage')),
  };
}

const ASKED_OF_BEDROCK = ['modelInput', 'modelOutput'];
const ASKED_OF_VERTEX = ['request', 'response', 'status', 'processed_time'];

/** What was asked and answered, which tells two records of one id apart where the answer has no id. */
function fingerprint(line: object, names: readonly string[]): string {
  const content = JSON.stringify(names.map((name) => at(line, name)));
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

function geminiLine(line: object): ResultLine | null {
  const [response, error] = [at(line, 'response'), at(line, 'error')];
  const isVertex = isObject(at(line, 'request')) && isObject(response);
  const said = isVertex ? firstGiven(at(line, 'status')) : undefined;
  const isGemini =
    at(line, 'key') !== undefined && (Object.hasOwn(line, 'response') || isErrorOnly(line));
  const isAnswer = at(response, 'usageMetadata') !== undefined || error !== undefined;
  const hasFailedSo =
    typeof said === 'string' &&
    isObject(response) &&
    Object.keys(response).length === 0 &&
    Array.isArray(at(line, 'request', 'contents'));
  if (!(isAnswer || hasFailedSo) || !(isGemini || isVertex)) return null;
  const failed = !isObject(at(response, 'usageMetadata'));
  const own = at(response, 'responseId');
  const key = at(line, 'key');
  return {
    source: 'gemini_batch',
    provider: isVertex ? 'gcp.vertex_ai' : 'gcp.gemini',
    // Vertex AI names no call of its batches, so that one without an answer is known by what it says.
    id: isVertex && key === undefined ? firstGiven(own, fingerprint(line, ASKED_OF_VERTEX)) : own,
    customId: key,
    body: response,
    request: at(line, 'request'),
    status: failed ? 'error' : 'ok',
    errorType: failed
      ? firstGiven(at(error, 'status'), at(error, 'code'), vertexError(said))
      : undefined,
    answeredAt: isVertex
      ? firstGiven(at(line, 'processed_time'), at(response, 'createTime'))
      : undefined,
  };
}

/** A line of Gemini that failed has its key and its error, and nothing that other events have. */
function isErrorOnly(line: object): boolean {
  const error = at(line, 'error');
  const isError = firstGiven(at(error, 'code'), at(error, 'status')) !== undefined;
  return isError && Object.keys(line).every((name) => ERROR_LINE.has(name));
}

const ERROR_LINE: ReadonlySet<string> = new Set(['key', 'error', 'metadata']);

/** The kind of an error that Vertex AI tells as a text, such as `Bad Request: {"error": {…}}`, and none of its words. */
function vertexError(said: unknown): unknown {
  if (typeof said !== 'string') return undefined;
  const status = at(parseJson(said.slice(said.indexOf('{'))), 'error', 'status');
  return firstGiven(status, /^[\w ]{1,50}(?=:|$)/.exec(said)?.[0]);
}

/** A batch that failed used nothing but what the answer counts. */
function translateLine(line: Line): Translation {
  const { body, provider, status } = line;
  const model = firstGiven(
    at(body, 'model'),
    at(body, 'modelVersion'),
    at(line.request, 'model'),
    at(line.request, 'modelId'),
    line.model,
  );
  const usage = firstGiven(at(body, 'usage'), at(body, 'usageMetadata'), titanUsage(body));
  const used = isObject(usage)
    ? readProviderUsage({ usage, provider, model, answer: body })
    : picturesIn(body);
  const searches = used.usage?.['searches'] === undefined ? searchesIn(body) : undefined;
  const answeredAt = firstGiven(line.answeredAt, at(body, 'created'), at(body, 'created_at'));
  const call = usageOfCall(used, status);
  const event = withoutAbsent({
    event_id: eventId(line),
    source: line.source,
    occurred_at: timeFromAny(answeredAt),
    status,
    error_type: status === 'error' ? line.errorType : undefined,
    operation: operationOf(body),
    provider,
    requested_model: model ?? (status === 'ok' ? undefined : 'unknown'),
    response_id: firstGiven(at(body, 'id'), at(body, 'responseId')),
    service_tier: 'batch',
    usage: call === undefined || searches === undefined ? call : { ...call, searches },
    reported_cost: costInUsage(usage, provider),
    ...tagsOf(line),
    tags: customTags(line),
  });
  const translation = translationOf(event, used);
  if (event['requested_model'] === undefined) return unnamedModel(translation, line);
  if (event['occurred_at'] === undefined) return { ...translation, isTimeless: true };
  return line.answeredAt === undefined ? translation : { ...translation, wasTimeless: true };
}

/** The event that it would be is kept, which has counts and no text of the call. */
function unnamedModel(translation: Translation, { customId }: Line): Translation {
  const { event } = translation;
  const { source, event_id } = event;
  const detail = `requested_model: neither the result ${JSON.stringify(String(firstGiven(customId, event_id)).slice(0, 100))} of ${String(source)} nor its answer names a model; send the line again with "modelId" beside its other fields, or keep the results of the job under a key with model=<the model's id>/ in it, and dismiss this event`;
  return { ...translation, instead: { kind: 'not_understood', detail, body: event } };
}

/** An answer with pictures and without usage is paid for by the picture. */
function picturesIn(body: unknown): NativeUsage {
  const data = at(body, 'data');
  if (operationOf(body) !== 'image' || !Array.isArray(data)) return NO_USAGE;
  return { ...NO_USAGE, usage: { images: data.length } };
}

/** No line names its endpoint, so that the form of the answer has to tell. */
function operationOf(body: unknown): string {
  if (at(body, 'object') === 'list' || at(body, 'embedding') !== undefined) return 'embeddings';
  if (/^modr-/.test(String(at(body, 'id')))) return 'moderation';
  const data = at(body, 'data');
  const [first] = Array.isArray(data) ? data : [];
  const isImage = at(first, 'b64_json') !== undefined || at(first, 'url') !== undefined;
  return isImage ? 'image' : 'chat';
}

/** A batch names each of its calls; the provider's own id of the result tells batches apart. */
function eventId({ id, customId }: Line): unknown {
  const parts = [firstGiven(id), firstGiven(customId)].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.map(String).join(':');
}

function tagsOf({ body, request }: Line): JsonObject {
  return attributionTags((name) =>
    firstGiven(at(body, 'metadata', name), at(request, 'metadata', name)),
  );
}

function customTags({ body, customId }: Line): JsonObject {
  return withoutAbsent({ ...furtherTags(at(body, 'metadata')), custom_id: firstGiven(customId) });
}

/** Models of Bedrock whose answers count at their top level. */
function titanUsage(body: unknown): JsonObject | undefined {
  const input = countOf(
    firstGiven(at(body, 'inputTextTokenCount'), at(body, 'prompt_token_count')),
  );
  if (!isCount(input)) return undefined;
  const results = at(body, 'results');
  const [first] = Array.isArray(results) ? results : [];
  const output = firstGiven(at(first, 'tokenCount'), at(body, 'generation_token_count'), 0);
  return { inputTokens: input, outputTokens: output };
}
