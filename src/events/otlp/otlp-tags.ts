import {
  ATTRIBUTION_NAMES,
  at,
  attributionTags,
  firstGiven,
  type JsonObject,
  parseJson,
} from '../foreign/foreign-value.ts';
import { type Attributes, firstAttribute } from './otlp-attributes.ts';

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
  'metadata.',
];

const PLACES: ReadonlyMap<string, readonly string[]> = new Map(
  ATTRIBUTION_NAMES.map((name) => [name, PREFIXES.map((prefix) => `${prefix}${name}`)]),
);

const USER_IDS = ['user.id', 'langfuse.user.id', 'enduser.id'];

const RUN_IDS = ['gcp.vertex.agent.invocation_id', 'gen_ai.agent.call.id'];

const PROMPT_VERSIONS = [
  'gen_ai.prompt.version',
  'langfuse.observation.prompt.version',
  'llm.prompt_template.version',
  'traceloop.prompt.version',
];

/** The tags of a span; where it has none, those of the resource that sent it. */
export function spanTags(span: Attributes, resource: Attributes): JsonObject {
  const own = tagsOf(span);
  const fallback = tagsOf(resource);
  return Object.fromEntries(
    Object.entries(own).map(([name, value]) => [name, firstGiven(value, fallback[name])]),
  );
}

function tagsOf(attributes: Attributes): JsonObject {
  const metadata = parseJson(attributes.get('metadata'));
  const tags = attributionTags((name) =>
    firstGiven(firstAttribute(attributes, PLACES.get(name) ?? []), at(metadata, name)),
  );
  return {
    ...tags,
    user_id: firstGiven(tags['user_id'], firstAttribute(attributes, USER_IDS)),
    agent_run_id: firstGiven(tags['agent_run_id'], firstAttribute(attributes, RUN_IDS)),
    prompt_version: versionText(
      firstGiven(tags['prompt_version'], firstAttribute(attributes, PROMPT_VERSIONS)),
    ),
  };
}

/** Prompt registries count their versions, so a number is a version, too. */
function versionText(version: unknown): unknown {
  return typeof version === 'number' ? String(version) : version;
}

const TAG_PREFIX = 'spanledger.tags.';

/** Further tags, as attributes named `spanledger.tags.<name>`. */
export function spanFurtherTags(span: Attributes): JsonObject {
  const tags = [...span].filter(([name]) => name.startsWith(TAG_PREFIX));
  return Object.fromEntries(
    tags
      .map(([name, value]) => [name.slice(TAG_PREFIX.length), value] as const)
      .filter(([name]) => name !== '' && name !== '__proto__'),
  );
}
