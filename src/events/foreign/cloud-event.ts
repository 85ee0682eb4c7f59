import { readLoosely } from './cloud-event-data.ts';
import { timeFromAny } from './foreign-time.ts';
import { at, firstGiven, isObject, type JsonObject, withoutAbsent } from './foreign-value.ts';
import type { Translation, Translator } from './translation.ts';

/**
 * A CloudEvent in its structured mode. Its data is a native event, as an object, as text or in base64; or
 * the counts that OpenMeter's examples send. What includes what:
 *
 * | data                                | counts                                                        |
 * |-------------------------------------|---------------------------------------------------------------|
 * | a native event                      | as the native event says                                      |
 * | {tokens, model, type}               | the tokens of one side: `type` says which; else input, assumed |
 * | a provider's own usage or counts    | as provider-usage.ts says                                     |
 * | {input_tokens, output_tokens, …}    | as the native event says, without a `usage` around them       |
 * | counts of tokens that nobody knows, or of both kinds | they are refused by name                     |
 * | a message of OTLP, LiteLLM or Bedrock | as that one says, which is read as if it had come alone (`carriedMessage`) |
 */
export const cloudEventTranslator: Translator = {
  format: 'cloud-event',
  recognizes: (value) => typeof at(value, 'specversion') === 'string',
  translate: (value) => [translateCloudEvent(value)],
};

/** The envelope names the event; what it leaves open (a time, a subject) the data may say itself. */
function translateCloudEvent(value: object): Translation {
  const fields: JsonObject = readLoosely(value);
  const tenant = firstGiven(at(fields, 'tenant_id'), at(fields, 'customer_id'));
  const event = withoutAbsent({
    ...fields,
    event_id: at(value, 'id'),
    source: at(value, 'source'),
    occurred_at: timeFromAny(firstGiven(at(value, 'time'), at(fields, 'occurred_at'))),
    tenant_id: firstGiven(tenant, at(value, 'subject')),
  });
  return { event: withSource(event), usageAssumed: false };
}

/** The source of an event is shorter than that of a CloudEvent may be; the whole stands in a tag. */
const LONGEST_SOURCE = 100;

function withSource(event: JsonObject): JsonObject {
  const source = event['source'];
  if (typeof source !== 'string' || source.length <= LONGEST_SOURCE) return event;
  const tags = isObject(event['tags']) ? event['tags'] : {};
  return { ...event, tags: { ...tags, cloudevent_source: source } };
}
