import {
  ATTRIBUTION_NAMES,
  at,
  attributionTags,
  firstGiven,
  type JsonObject,
  OTHER_TENANT,
} from '../foreign/foreign-value.ts';
import { type Attributes, firstAttribute, objectAt } from './otlp-attributes.ts';

/**
 * The places where an attribution tag may stand, the most deliberate first: our own prefix, then
 * the bare name that baggage gives it, then the places where frameworks put what their caller
 * attached.
 */
const PREFIXES = [
  'spanledger.',
  '',
  'traceloop.association.properties.',
  'ai.telemetry.metadata.',
  'ai.settings.context.',
  'langfuse.trace.metadata.',
  'langfuse.observation.metadata.',
  'langsmith.metadata.',
  'trace.metadata.',
  'mastra.metadata.',
  'langwatch.',
  'metadata.',
  'metadata.requester_metadata.',
  'metadata.spend_logs_metadata.',
];

/** The attribute of each tag's name in each place. */
const PLACES: readonly ReadonlyMap<string, string>[] = PREFIXES.map(
  (prefix) => new Map(ATTRIBUTION_NAMES.map((name) => [name, `${prefix}${name}`])),
);

/** The customer that LangWatch's SDKs name, and what LiteLLM's exporter knows of the caller's key. */
const TENANT_IDS = [
  'langwatch.customer.id',
  'metadata.user_api_key_org_id',
  'metadata.user_api_key_team_id',
];

const USER_IDS = [
  'user.id',
  'langfuse.user.id',
  'langwatch.user.id',
  'langwatch.end_user_id',
  'enduser.id',
  'trace.user_id',
  'user.account_uuid',
  'user.account_id',
  'mlflow.trace.user',
  'metadata.user_api_key_end_user_id',
  'metadata.user_api_key_user_id',
];

const RUN_IDS = ['gcp.vertex.agent.invocation_id', 'gen_ai.agent.call.id'];

const PROMPT_VERSIONS = [
  'gen_ai.prompt.version',
  'langfuse.observation.prompt.version',
  'llm.prompt_template.version',
  'traceloop.prompt.version',
];

/** The tags of a span; where it has none, those of the resource that sent it. */
export function spanTags(span: Attributes, resource: Attributes): JsonObject {
  return firstTags([tagsOf(span), tagsOf(resource)]);
}

/** Returns each tag from the first of these that has it. */
export function firstTags(tags: readonly JsonObject[]): JsonObject {
  const [own = {}] = tags;
  const ofTenant = tags.find((each) => firstGiven(each['tenant_id']) !== undefined);
  return {
    ...Object.fromEntries(
      Object.keys(own).map((name) => [name, firstGiven(...tags.map((each) => each[name]))]),
    ),
    [OTHER_TENANT]: ofTenant?.[OTHER_TENANT],
  };
}

/** A span's tags are asked for by every span below it. */
const known = new WeakMap<Attributes, JsonObject>();

/** Returns the tags that the attributes themselves give. */
export function tagsOf(attributes: Attributes): JsonObject {
  const before = known.get(attributes);
  if (before !== undefined) return before;
  const tags = readTags(attributes);
  known.set(attributes, tags);
  return tags;
}

function readTags(attributes: Attributes): JsonObject {
  const metadata = objectAt(attributes, 'metadata');
  // What the caller of LangWatch's gateway sent with the request.
  const ofGateway = objectAt(attributes, 'langwatch.reserved.request_metadata');
  const tags = attributionTags(
    ...PLACES.map((names) => (name: string) => attributes.get(names.get(name) ?? name)),
    (name) => at(metadata, name),
    (name) => at(ofGateway, name),
  );
  return {
    ...tags,
    tenant_id: firstGiven(
      tags['tenant_id'],
      firstAttribute(attributes, TENANT_IDS),
      at(metadata, 'user_api_key_org_id'),
      at(metadata, 'user_api_key_team_id'),
    ),
    user_id: firstGiven(
      tags['user_id'],
      firstAttribute(attributes, USER_IDS),
      at(metadata, 'user_api_key_end_user_id'),
    ),
    agent_run_id: firstGiven(tags['agent_run_id'], firstAttribute(attributes, RUN_IDS)),
    prompt_version: firstGiven(tags['prompt_version'], firstAttribute(attributes, PROMPT_VERSIONS)),
  };
}

const TAG_PREFIX = 'spanledger.tags.';

/** Returns further tags, as attributes named `spanledger.tags.<name>`. */
export function spanFurtherTags(span: Attributes): JsonObject {
  const tags = [...span].filter(([name]) => name.startsWith(TAG_PREFIX));
  return Object.fromEntries(
    tags
      .map(([name, value]) => [name.slice(TAG_PREFIX.length), value] as const)
      .filter(([name]) => name !== '' && name !== '__proto__'),
  );
}
