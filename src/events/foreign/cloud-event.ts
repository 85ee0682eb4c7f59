import { timeFromText } from './foreign-time.ts';
import { at, firstGiven, isObject, withoutAbsent } from './foreign-value.ts';
import type { Translation, Translator } from './translation.ts';

/** A CloudEvent in its structured mode, with a native event as its data. */
export const cloudEventTranslator: Translator = {
  format: 'cloud-event',
  recognizes: (value) => typeof at(value, 'specversion') === 'string',
  translate: (value) => [translateCloudEvent(value)],
};

/** The envelope names the event; what it leaves open (a time, a subject) the data may say itself. */
function translateCloudEvent(value: object): Translation {
  const data = at(value, 'data');
  const fields = isObject(data) ? data : {};
  const tenant = firstGiven(at(fields, 'tenant_id'), at(fields, 'customer_id'));
  const event = withoutAbsent({
    ...fields,
    event_id: at(value, 'id'),
    source: at(value, 'source'),
    occurred_at: timeFromText(firstGiven(at(value, 'time'), at(fields, 'occurred_at'))),
    tenant_id: firstGiven(tenant, at(value, 'subject')),
  });
  return { event, usageAssumed: false };
}
