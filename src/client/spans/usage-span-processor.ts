import type { UsageTags } from '../usage-scope.ts';
import { currentTags } from '../usage-scope.ts';

/** What of `@opentelemetry/api` is needed; the application brings it. */
interface BaggageEntry {
  readonly value: string;
}
interface Baggage {
  getEntry(key: string): BaggageEntry | undefined;
  setEntry(key: string, entry: BaggageEntry): Baggage;
}
interface Propagation<Context> {
  getBaggage(context: Context): Baggage | undefined;
  createBaggage(): Baggage;
  setBaggage(context: Context, baggage: Baggage): Context;
}
interface TaggedSpan {
  setAttribute(name: string, value: string): unknown;
}

/**
 * Makes a span processor that gives every span the tags of `withUsage`, and those that came as
 * baggage from the service that called this one. It stands before the processor that exports. Of
 * baggage it takes these names alone, since anybody may send others.
 */
export function usageSpanProcessor<Context>(propagation: Propagation<Context>) {
  return {
    onStart(span: TaggedSpan, context: Context): void {
      const baggage = propagation.getBaggage(context);
      const tags = currentTags();
      for (const [field, name] of NAMES) {
        const value = tags[field] === undefined ? baggage?.getEntry(name)?.value : tags[field];
        if (value != null && value !== '') span.setAttribute(`${PREFIX}${name}`, value);
      }
      for (const [name, value] of Object.entries(tags.tags ?? {})) {
        span.setAttribute(`${PREFIX}tags.${name}`, value);
      }
    },
    onEnd(): void {},
    async forceFlush(): Promise<void> {},
    async shutdown(): Promise<void> {},
  };
}

/**
 * The context with the tags of `withUsage` in its baggage, which goes to every service that is called within it, also
 * to those of others: an id of a user does so, too.
 */
export function withUsageBaggage<Context>(
  propagation: Propagation<Context>,
  context: Context,
): Context {
  const tags = currentTags();
  const before = propagation.getBaggage(context) ?? propagation.createBaggage();
  const baggage = NAMES.reduce((known, [field, name]) => {
    const value = tags[field];
    return value == null || value === '' ? known : known.setEntry(name, { value });
  }, before);
  return propagation.setBaggage(context, baggage);
}

/** The names under which a server of ours reads them. */
const PREFIX = 'spanledger.';

const NAMES = [
  ['tenantId', 'tenant_id'],
  ['userId', 'user_id'],
  ['feature', 'feature'],
  ['agentRunId', 'agent_run_id'],
  ['promptVersion', 'prompt_version'],
] as const satisfies readonly (readonly [keyof UsageTags, string])[];
