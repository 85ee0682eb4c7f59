import { serviceTier } from '../../events/foreign/foreign-tier.ts';
import { at, isObject } from '../../events/foreign/foreign-value.ts';
import { readProviderUsage } from '../../events/provider-usage.ts';
import { drawnIn, searchesIn } from '../../events/tool-usage.ts';
import type { NewEvent } from '../new-event.ts';

/** Who was called, as whoever calls knows it. */
export interface CalledModel {
  readonly provider?: string | null | undefined;
  readonly model?: string | null | undefined;
}

/**
 * Reads what a provider's answer tells of a call: its model, its id, its tier and its own counts;
 * never its text.
 */
export function answerFields(answer: unknown, called: CalledModel): Partial<NewEvent> {
  const executed = stringAt(answer, 'model');
  return {
    requested_model: called.model ?? executed,
    executed_model: executed,
    response_id: stringAt(answer, 'id'),
    ...tierFields(at(answer, 'service_tier'), at(answer, 'usage', 'service_tier')),
    ...usageFields(at(answer, 'usage'), {
      ...called,
      executed,
      searches: searchesIn(answer),
      answer,
    }),
  };
}

/**
 * The counts as the provider gave them, which the ledger reads by its own table. Where nothing in them is
 * known, or nothing is there, nothing was measured, and the month says so.
 */
export function usageFields(
  usage: unknown,
  of: CalledModel & {
    readonly executed?: string | undefined;
    readonly searches?: unknown;
    readonly answer?: unknown;
  },
): Pick<NewEvent, 'usage' | 'provider_usage'> {
  if (!isObject(usage)) return { usage: {} };
  const { provider, model, executed = model, searches } = of;
  if (readProviderUsage({ usage, provider, model: executed }).usage === undefined) {
    return { usage: {} };
  }
  const drawn = drawnIn(of.answer);
  return {
    provider_usage: {
      ...numbersIn(usage),
      ...(searches === undefined ? {} : { web_search_requests: Number(searches) }),
      ...(drawn === null ? {} : { tool_usage: { image_gen: numbersIn({ ...drawn }) } }),
    },
  };
}

/** A provider may put anything beside its counts; numbers, their names and their kinds alone are kept. */
function numbersIn(usage: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(usage).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value === 'number' || KINDS.has(name)) return [[name, value]];
    if (Array.isArray(value)) return [[name, value.filter(isObject).map(numbersIn)]];
    return isObject(value) ? [[name, numbersIn(value)]] : [];
  });
  return Object.fromEntries(kept);
}

/** Words that say what is counted. */
const KINDS: ReadonlySet<string> = new Set(['type', 'modality', 'ttl', 'service_tier', 'speed']);

/**
 * Returns the tier that served the call; one that nobody has heard of is priced as standard, and
 * named in a tag.
 */
export function tierFields(...said: readonly unknown[]): Pick<NewEvent, 'service_tier' | 'tags'> {
  const tier = serviceTier(...said);
  if (tier === undefined || tier === 'standard') return {};
  if (tier === 'batch' || tier === 'flex' || tier === 'priority') return { service_tier: tier };
  return typeof tier === 'string' ? { tags: { service_tier: tier.slice(0, 100) } } : {};
}

const LONGEST_ID = 200;

export function stringAt(value: unknown, name: string): string | undefined {
  const found = at(value, name);
  return typeof found === 'string' && found !== '' && found.length <= LONGEST_ID
    ? found
    : undefined;
}
