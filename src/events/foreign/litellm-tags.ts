import {
  at,
  attributionTags,
  firstGiven,
  furtherTags,
  type JsonObject,
  OTHER_TENANT,
} from './foreign-value.ts';

/** What the caller attached comes before what the proxy knows of the caller's key. */
export function litellmTags(payload: object): JsonObject {
  const metadata = at(payload, 'metadata');
  const tags = attributionTags(
    (name) => at(metadata, 'spend_logs_metadata', name),
    (name) => at(metadata, 'requester_metadata', name),
  );
  return {
    [OTHER_TENANT]: tags[OTHER_TENANT],
    tenant_id: firstGiven(
      tags['tenant_id'],
      at(metadata, 'user_api_key_org_id'),
      at(metadata, 'user_api_key_team_id'),
    ),
    user_id: firstGiven(
      at(payload, 'end_user'),
      tags['user_id'],
      at(metadata, 'user_api_key_end_user_id'),
      at(metadata, 'user_api_key_user_id'),
    ),
    feature: firstGiven(tags['feature'], firstRequestTag(at(payload, 'request_tags'))),
    agent_run_id: firstGiven(tags['agent_run_id'], at(payload, 'trace_id')),
    prompt_version: tags['prompt_version'],
  };
}

/**
 * Returns the first tag that a person chose; LiteLLM adds one of its own for the client's user
 * agent.
 */
function firstRequestTag(requestTags: unknown): unknown {
  if (!Array.isArray(requestTags)) return undefined;
  return requestTags.find((tag) => typeof tag === 'string' && !/^(?:user-agent:.*)?$/i.test(tag));
}

/** The metadata that was sent for spend logs is meant to be kept; the rest of a request's is not. */
export function litellmFurtherTags(payload: object): JsonObject {
  return furtherTags(at(payload, 'metadata', 'spend_logs_metadata'));
}
