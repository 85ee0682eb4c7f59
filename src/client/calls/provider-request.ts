import { knownProvider } from '../../events/provider-name.ts';
import type { Slice } from './json-skim.ts';
import { membersOf, readValue } from './json-skim.ts';

/** What a request to a provider asks for, as its address says it. */
export interface Endpoint {
  readonly operation: string;
  /**
   * `answer` is a call and its answer; `poll` reads a call that runs in the background; `batch` tells of a
   * batch, and `results` are its calls.
   */
  readonly kind: 'answer' | 'poll' | 'batch' | 'results';
  /** Whether a stream gives its usage only to whoever asks for it. */
  readonly asksForUsage: boolean;
}

const answer = (operation: string, asksForUsage = false): Endpoint => ({
  operation,
  kind: 'answer',
  asksForUsage,
});
const reading = (kind: Endpoint['kind']): Endpoint => ({
  operation: 'chat',
  kind,
  asksForUsage: false,
});

/** Paths end so, whatever a gateway or Azure puts before. What is not here is free, or no call. */
const ENDPOINTS: readonly (readonly [string, RegExp, Endpoint])[] = [
  ['POST', /\/chat\/completions$/, answer('chat', true)],
  ['POST', /\/completions$/, answer('text_completion', true)],
  ['POST', /\/responses(?:\/compact)?$/, answer('chat')],
  ['GET', /\/responses\/[^/]+$/, reading('poll')],
  ['POST', /\/messages$/, answer('chat')],
  ['GET', /\/messages\/batches\/[^/]+$/, reading('batch')],
  ['GET', /\/messages\/batches\/[^/]+\/results$/, reading('results')],
  ['GET', /\/files\/[^/]+\/content$/, reading('results')],
  ['POST', /\/embeddings$/, answer('embeddings')],
  ['POST', /\/images\/(?:generations|edits|variations)$/, answer('image')],
  ['POST', /\/audio\/transcriptions$/, answer('transcription')],
  ['POST', /\/audio\/translations$/, answer('translation')],
  ['POST', /\/audio\/speech$/, answer('speech')],
];

export function endpointOf(method: string, url: URL): Endpoint | null {
  const path = url.pathname.replace(/\/+$/, '');
  const found = ENDPOINTS.find(([of, pattern]) => of === method && pattern.test(path));
  return found?.[2] ?? null;
}

/**
 * Returns who is paid, as far as the address tells: `api.groq.com` is Groq, and a server of one's
 * own is nobody.
 */
export function providerOfHost({ hostname }: URL): string | undefined {
  if (/\.openai\.azure\.com$|\.cognitiveservices\.azure\.com$/.test(hostname))
    return 'azure.ai.openai';
  if (/\.azure\.com$/.test(hostname)) return 'azure.ai.inference';
  if (/^generativelanguage\.googleapis\.com$/.test(hostname)) return 'gcp.gemini';
  if (/aiplatform\.googleapis\.com$/.test(hostname)) return 'gcp.vertex_ai';
  if (/(?:^|\.)x\.ai$/.test(hostname)) return 'x_ai';
  if (/\.amazonaws\.com$/.test(hostname)) return 'aws.bedrock';
  const labels = hostname.split('.').slice(0, -1);
  return labels.map((label) => knownProvider(label)).find((name) => name !== null) ?? undefined;
}

/** What matters of a request's body. */
export interface SentBody {
  readonly model: string | undefined;
  readonly serviceTier: unknown;
  readonly isStream: boolean;
  /** The JSON; null where the body is none, such as a form with a sound file. */
  readonly text: string | null;
  /** Characters to speak, and seconds of a video: counts that no answer tells. */
  readonly spoken: number | null;
  /** The body to send in place of it, which asks for the usage of its stream; null to send it as it is. */
  readonly asking: string | null;
}

export function readSent(body: unknown, endpoint: Endpoint): SentBody {
  if (typeof body === 'string') return readJson(body, endpoint);
  if (body instanceof ArrayBuffer) return readJson(textOf(new Uint8Array(body)), endpoint);
  if (ArrayBuffer.isView(body)) return readJson(textOf(body), endpoint);
  const model = body instanceof FormData ? body.get('model') : null;
  const isStream = body instanceof FormData && body.get('stream') === 'true';
  return {
    model: typeof model === 'string' ? model : undefined,
    serviceTier: undefined,
    isStream,
    text: null,
    spoken: null,
    asking: null,
  };
}

function textOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

function readJson(text: string, { operation, asksForUsage }: Endpoint): SentBody {
  const members = membersOf(text) ?? new Map<string, Slice>();
  const look = (name: string) => readValue(text, members.get(name));
  const model = look('model');
  const isStream = look('stream') === true;
  const input = operation === 'speech' ? look('input') : null;
  return {
    model: typeof model === 'string' ? model : undefined,
    serviceTier: look('service_tier'),
    isStream,
    text,
    spoken: typeof input === 'string' ? codePointsIn(input) : null,
    asking: asksForUsage && isStream ? askForUsage(text, members.get('stream_options')) : null,
  };
}

/** Counts characters as providers do: one that lies beyond the basic plane is one, and not two. */
function codePointsIn(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Returns the same text with `include_usage`, put in without writing the rest of it again; null
 * where it asks already.
 */
function askForUsage(text: string, options: Slice | undefined): string | null {
  if (options === undefined) {
    const first = text.indexOf('{') + 1;
    return `${text.slice(0, first)}"stream_options":{"include_usage":true},${text.slice(first)}`;
  }
  const given = readValue(text, options);
  if (typeof given !== 'object' || given === null) return null;
  if ('include_usage' in given && given.include_usage === true) return null;
  const asking = JSON.stringify({ ...given, include_usage: true });
  return `${text.slice(0, options.start)}${asking}${text.slice(options.end)}`;
}
