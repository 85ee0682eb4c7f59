import { AsyncLocalStorage } from 'node:async_hooks';
import type { NewEvent } from './new-event.ts';

/** The tags of a call: who made it, and what for. */
export interface UsageTags {
  readonly tenantId?: string | null | undefined;
  readonly userId?: string | null | undefined;
  readonly feature?: string | null | undefined;
  readonly agentRunId?: string | null | undefined;
  readonly promptVersion?: string | null | undefined;
  /** Further tags, added to those of the scope around. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly traceId?: string | null | undefined;
  readonly parentSpanId?: string | null | undefined;
}

interface UsageScope {
  readonly tags: UsageTags;
  readonly hold: ScopeHold | null;
}

const scopes = new AsyncLocalStorage<UsageScope>();

/**
 * Runs the function, and whatever is recorded within it, in whatever it awaits too, has these tags. Scopes
 * nest: what an inner one leaves out is that of the outer one, and null takes it away.
 */
export function withUsage<Result>(tags: UsageTags, fn: () => Result): Result {
  const outer = scopes.getStore();
  return scopes.run({ tags: merge(outer?.tags ?? {}, tags), hold: outer?.hold ?? null }, fn);
}

/** Runs work as `withUsage` does, with the hold that the first call within it is to carry. */
export function withHold<Result>(hold: ScopeHold, fn: () => Result): Result {
  return scopes.run({ tags: currentTags(), hold }, fn);
}

/** The tags of the scope that runs. */
export function currentTags(): UsageTags {
  return scopes.getStore()?.tags ?? {};
}

export function currentHold(): ScopeHold | null {
  return scopes.getStore()?.hold ?? null;
}

/** The event with the tags of the scope where it has none, and with the hold if it is the call that was held for. */
export function inScope(event: NewEvent): NewEvent {
  const scope = scopes.getStore();
  // What an untyped caller hands over is for the schema to refuse.
  if (scope === undefined || typeof event !== 'object' || event === null) return event;
  const { tags, hold } = scope;
  const isOwned = event.tenant_id !== undefined || event.customer_id !== undefined;
  return {
    ...event,
    tenant_id: isOwned ? event.tenant_id : tags.tenantId,
    user_id: event.user_id === undefined ? tags.userId : event.user_id,
    feature: event.feature === undefined ? tags.feature : event.feature,
    agent_run_id: event.agent_run_id === undefined ? tags.agentRunId : event.agent_run_id,
    prompt_version: event.prompt_version === undefined ? tags.promptVersion : event.prompt_version,
    trace_id: event.trace_id === undefined ? tags.traceId : event.trace_id,
    parent_span_id: event.parent_span_id === undefined ? tags.parentSpanId : event.parent_span_id,
    tags: tags.tags === undefined ? event.tags : { ...tags.tags, ...event.tags },
    hold_id: event.hold_id === undefined && isHeldFor(event) ? hold?.offer() : event.hold_id,
  };
}

/** What a guard knows of the call that it guards: the hold, until an event carries it. */
export class ScopeHold {
  readonly #id: string | null;
  #isRecorded = false;
  #underWay = 0;
  #giveBack: (() => void) | null = null;

  /** It is null where no budget concerns the call. */
  constructor(id: string | null) {
    this.#id = id;
  }

  /** Whether an event of the call was accepted. */
  get isRecorded(): boolean {
    return this.#isRecorded;
  }

  /** Whether a wrapper watches a call that is not over, such as a stream that is still read. */
  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  /** The first event of a call that did not fail carries it, and no other. */
  offer(): string | undefined {
    return this.#isRecorded ? undefined : (this.#id ?? undefined);
  }

  recorded(event: NewEvent): void {
    if (isHeldFor(event)) this.#isRecorded = true;
  }

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0 && !this.#isRecorded) this.#giveBack?.();
  }

  /** What is to be done when the last call that is under way ends without an answer. */
  orElse(giveBack: () => void): void {
    this.#giveBack = giveBack;
  }
}

function isHeldFor({ status, requested_model: model }: NewEvent): boolean {
  return status !== 'error' && model != null;
}

function merge(outer: UsageTags, inner: UsageTags): UsageTags {
  const given = Object.entries(inner).filter(([, value]) => value !== undefined);
  const tags = inner.tags === undefined ? outer.tags : { ...outer.tags, ...inner.tags };
  return { ...outer, ...Object.fromEntries(given), ...(tags === undefined ? {} : { tags }) };
}
