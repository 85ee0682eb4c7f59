import { describe, expect, it } from 'vitest';
import { checkProducer } from '../../src/ingest/check-producer.ts';
import type { CheckedItem } from '../../src/ingest/producer-answer.ts';
import { BATCHES } from '../support/plausible/batches.ts';
import { DIALECTS } from '../support/plausible/dialects.ts';
import { EXPORTED } from '../support/plausible/exported.ts';
import { GATEWAYS } from '../support/plausible/gateways.ts';
import { OWN_FORMS } from '../support/plausible/own-forms.ts';
import type { ExpectedCall } from '../support/plausible/plausible-bodies.ts';
import { PROVIDER_USAGES } from '../support/plausible/provider-usages.ts';
import { SPANS } from '../support/plausible/spans.ts';

const BODIES = [
  ...[...BATCHES, ...DIALECTS, ...EXPORTED, ...GATEWAYS],
  ...[...OWN_FORMS, ...PROVIDER_USAGES, ...SPANS],
];
const reading = { litellmKey: null };
const clock = () => Date.parse('2026-10-15T13:00:00Z');

describe('a plausible body becomes what a hand reckons', () => {
  it.each(BODIES)('$name: $because', ({ body, calls }) => {
    const request = { text: JSON.stringify(body), is_protobuf: false };
    const { items } = checkProducer({ clock, reading }, request);
    const found = items.filter(({ outcome }) => outcome !== 'structure' && outcome !== 'empty');
    expect(found.map((item, index) => asExpected(item, calls[index]))).toEqual(calls);
  });
});

/** What was found, in the fields that were worked out. */
function asExpected({ event, outcome, detail }: CheckedItem, expected: ExpectedCall | undefined) {
  if (event === null) return { outcome, detail };
  const all: Required<ExpectedCall> = {
    model: event.requested_model,
    tenant: event.tags.tenant_id,
    units: event.units,
    reasoning: event.reasoning_tokens,
    outcome: outcome === 'unmeasured' ? 'unmeasured' : 'call',
    source: event.usage_source as Required<ExpectedCall>['source'],
    tier: event.service_tier,
    status: event.status,
    user: event.tags.user_id ?? '',
    cost: event.reported_cost?.amount ?? '',
    cache: event.gateway_cache,
    operation: event.operation,
  };
  const asked = Object.keys(expected ?? all);
  return Object.fromEntries(Object.entries(all).filter(([name]) => asked.includes(name)));
}
