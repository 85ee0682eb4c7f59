import { knownProvider } from './provider-name.ts';

/**
 * One form for the many ways in which a model is written. What is read out of them:
 *
 * | written as                                                    | provider    | name                         |
 * |---------------------------------------------------------------|-------------|------------------------------|
 * | `openai/gpt-4.1`, `GPT-4.1`, `openrouter/openai/gpt-4.1`      | the first   | `gpt-4-1`                    |
 * | `models/gemini-2.5-pro`                                       | -           | `gemini-2-5-pro`             |
 * | `projects/…/publishers/google/models/gemini-2.5-pro`          | Vertex AI   | `gemini-2-5-pro`             |
 * | `us.anthropic.claude-3-5-sonnet-20241022-v2:0`, a profile ARN | Bedrock     | `claude-3-5-sonnet-20241022` |
 * | `claude-3-5-sonnet-v2@20241022`                               | -           | `claude-3-5-sonnet-20241022` |
 * | `anthropic/claude-4.5-sonnet-20250929`                        | Anthropic   | `claude-sonnet-4-5-20250929` |
 * | `claude-3-haiku-48k-20240307`, as Bedrock's answers name it   | -           | `claude-3-haiku-20240307`    |
 * | `azure/global-standard/gpt-4o`                                | Azure       | `gpt-4o`                     |
 * | `gpt-35-turbo`                                                | -           | `gpt-3-5-turbo`              |
 *
 * A geography is taken away, but for `global`, which has prices of its own. An ARN that names no model (an
 * application's profile, a provisioned throughput) stays as it is: only a file of deployments can say what it
 * is. The name without its date stands beside, for a book that has the model under another date or under none.
 */
export interface ModelName {
  /** Who is named in the name itself, such as by a gateway's prefix; null where nobody is. */
  readonly provider: string | null;
  /** The same model of the same date, however it is written. */
  readonly name: string;
  /** The name without date and `latest`; equal to the name where it has none. */
  readonly undated: string;
}

/** Models have few names, which are asked for again and again; a flood of new ones is forgotten. */
const MOST_REMEMBERED = 20_000;
const REMEMBERED = new Map<string, ModelName>();

/** Reads a model's name as a producer or a price book writes it. Never throws. */
export function readModelName(written: string): ModelName {
  const known = REMEMBERED.get(written);
  if (known !== undefined) return known;
  const read = parseName(written.trim().toLowerCase());
  if (REMEMBERED.size >= MOST_REMEMBERED) REMEMBERED.clear();
  REMEMBERED.set(written, read);
  return read;
}

interface Rest {
  readonly provider: string | null;
  readonly rest: string;
}

function parseName(written: string): ModelName {
  const addressed = withoutAddress(written);
  const { provider, rest } = withoutVendor(withoutPrefixes(addressed));
  const name = oneSpelling(rest);
  return { provider, name, undated: withoutDate(name) };
}

const ARN =
  /^(?:bedrock\/(?:converse\/)?)?arn:[\w-]+:bedrock:[^:]*:[^:]*:(?:inference-profile|foundation-model)\/(.+)$/;
const VERTEX = /^(?:projects\/.*)?publishers\/[^/]+\/models\/(.+)$/;

/** Takes away what only says where a model is found. */
function withoutAddress(written: string): Rest {
  const arn = ARN.exec(written)?.[1];
  if (arn !== undefined) return { provider: 'aws.bedrock', rest: arn };
  const vertex = VERTEX.exec(written)?.[1];
  if (vertex !== undefined) return { provider: 'gcp.vertex_ai', rest: vertex };
  return { provider: null, rest: written };
}

/** Segments before a model that name a gateway, an interface or a region of it, and nobody who is paid. */
const PASSED_OVER =
  /^(?:litellm|litellm_proxy|portkey|helicone|vercel|gateway|converse|converse_like|invoke|chat|responses|models|global|global-standard|[a-z]{2}(?:-gov)?-[a-z]+-\d)$/;

/** Of several providers the first is the one that is paid: a router before the maker of the model. */
function withoutPrefixes({ provider, rest }: Rest): Rest {
  const segments = rest.split('/');
  let payee = provider;
  while (segments.length > 1) {
    const [first = ''] = segments;
    const known = knownProvider(first);
    if (known === null && !PASSED_OVER.test(first)) break;
    payee ??= known;
    segments.shift();
  }
  return { provider: payee, rest: segments.join('/') };
}

const GEOGRAPHY = /^(us-gov|us|eu|apac|au|jp|ca|sa|me|af|in|il|mx|regional|global)\./;
const VENDOR =
  /^(?:ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|zai)\.(?=[a-z])/;

/** Bedrock writes `geography.vendor.model`. */
function withoutVendor({ provider, rest }: Rest): Rest {
  const geography = GEOGRAPHY.exec(rest)?.[1];
  const after = geography === undefined ? rest : rest.slice(geography.length + 1);
  if (!VENDOR.test(after)) return { provider, rest };
  const model = after.replace(VENDOR, '');
  return {
    provider: provider ?? 'aws.bedrock',
    rest: geography === 'global' ? `global.${model}` : model,
  };
}

function oneSpelling(rest: string): string {
  if (rest.startsWith('arn:')) return rest;
  return rest
    .replace(/^ft:([^:]+):.*/, 'ft:$1')
    .replace(/:(?:thinking|beta)$/, '')
    .replace(/(\d{4})-(\d{2})-(\d{2})(?!\d)/, '$1$2$3')
    .replace(/@(?:default|latest)$/, '')
    .replace(/(?:-v\d+)?@(\d{8})$/, '-$1')
    .replace(/@(\d{3})$/, '-$1')
    .replace(/^(claude-.*)-\d+k(?=-\d{8})/, '$1')
    .replace(/(-\d{8})-v\d+(?::\d+)?(?::\d+k)?$/, '$1')
    .replace(/-v1:\d+(?::\d+k)?$/, '')
    .replace(/(-v\d+):\d+(?::\d+k)?$/, '$1')
    .replaceAll(/(\d)\.(?=\d)/g, '$1-')
    .replace(/^gpt-35-/, 'gpt-3-5-')
    .replace(/^claude-(4(?:-\d)?)-(sonnet|opus|haiku)(?=-|$)/, 'claude-$2-$1');
}

/** Also a model of Gemini's stable versions, `-001`. */
function withoutDate(name: string): string {
  return name.replace(/-(?:20\d{6}|latest|00[1-9])$/, '');
}
