import { createHmac } from 'node:crypto';
import type { AttributionTags, EventMember, UsageEvent } from './event.ts';

/** What becomes of identifiers that look like e-mail addresses. */
export type EmailPolicy =
  | { readonly kind: 'keep' | 'refuse' }
  /** Without the key, nobody can find the address of a hash by trying. */
  | { readonly kind: 'hash'; readonly key: string };

export type GuardedEvent =
  | { readonly kind: 'event'; readonly event: UsageEvent }
  /** Names the field and not its value, which is why it is refused. */
  | { readonly kind: 'refused'; readonly detail: string };

/** Something before and after one @, with a dot after it, and no space. */
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/**
 * Holds an event to the policy. Hashed are users, features, runs, prompt versions, members and further
 * tags. What bills and what identifies (tenant, source, event id) is refused under either policy: a
 * tenant is named by its operator, and an id that changed with the policy would be charged again.
 */
export function guardEmails(event: UsageEvent, policy: EmailPolicy): GuardedEvent {
  if (policy.kind === 'keep') return { kind: 'event', event };
  const [field] = policy.kind === 'refuse' ? emailFields(event) : fixedEmailFields(event);
  if (field !== undefined) return { kind: 'refused', detail: refusal(field, policy.kind) };
  return { kind: 'event', event: policy.kind === 'hash' ? hashed(event, policy.key) : event };
}

function refusal(field: string, policy: 'refuse' | 'hash'): string {
  return `${field}: looks like an e-mail address, which SPANLEDGER_EMAIL_IDENTIFIERS=${policy} keeps out of the ledger; send an opaque id instead`;
}

export function isEmail(value: string | null): boolean {
  return value?.includes('@') === true && EMAIL.test(value);
}

/**
 * Returns the names of the fields that hold one, in the order in which the native event lists them.
 */
function* emailFields(event: UsageEvent): Generator<string> {
  yield* fixedEmailFields(event);
  yield* tagFields('', event.tags);
  for (const [name, value] of Object.entries(event.furtherTags)) {
    if (isEmail(value)) yield `tags.${name}`;
  }
  for (const [index, { memberId, tags }] of (event.members ?? []).entries()) {
    if (isEmail(memberId)) yield `members[${index}].member_id`;
    yield* tagFields(`members[${index}].`, tags);
  }
}

/** The fields are those that no policy may change. */
function* fixedEmailFields(event: UsageEvent): Generator<string> {
  if (isEmail(event.eventId)) yield 'event_id';
  if (isEmail(event.source)) yield 'source';
  if (isEmail(event.tags.tenantId)) yield 'tenant_id';
  for (const [index, { tags }] of (event.members ?? []).entries()) {
    if (isEmail(tags.tenantId)) yield `members[${index}].tenant_id`;
  }
}

function* tagFields(prefix: string, tags: AttributionTags): Generator<string> {
  if (isEmail(tags.userId)) yield `${prefix}user_id`;
  if (isEmail(tags.feature)) yield `${prefix}feature`;
  if (isEmail(tags.agentRunId)) yield `${prefix}agent_run_id`;
  if (isEmail(tags.promptVersion)) yield `${prefix}prompt_version`;
}

function hashed(event: UsageEvent, key: string): UsageEvent {
  const furtherTags = Object.entries(event.furtherTags);
  return {
    ...event,
    tags: hashedTags(event.tags, key),
    furtherTags: Object.fromEntries(
      furtherTags.map(([name, value]) => [name, hashOfEmail(value, key)]),
    ),
    members: event.members?.map((member) => hashedMember(member, key)) ?? null,
  };
}

function hashedMember(member: EventMember, key: string): EventMember {
  const { memberId, tags } = member;
  return { ...member, memberId: hashOfEmail(memberId, key), tags: hashedTags(tags, key) };
}

function hashedTags(tags: AttributionTags, key: string): AttributionTags {
  const hash = (value: string | null) => (value === null ? null : hashOfEmail(value, key));
  return {
    tenantId: tags.tenantId,
    userId: hash(tags.userId),
    feature: hash(tags.feature),
    agentRunId: hash(tags.agentRunId),
    promptVersion: hash(tags.promptVersion),
  };
}

/** What an address, or the hash of one, is in the digest of an event. */
const SOMEBODY = '@';
const HASH = /^email:[0-9a-f]{32}$/;

/**
 * Returns the event with one word in the place of every address and of every hash of one; the same event where there is
 * none. A digest over it does not tell whether an address that somebody tries is that of an entry, whose other
 * columns are all known; a digest over the address would, without any key. It is also the same under every key.
 */
export function withoutEmails(event: UsageEvent): UsageEvent {
  if (!hasIdentified(event)) return event;
  const furtherTags = Object.entries(event.furtherTags);
  return {
    ...event,
    tags: unnamedTags(event.tags),
    furtherTags: Object.fromEntries(furtherTags.map(([name, value]) => [name, unnamed(value)])),
    members:
      event.members?.map((member) => ({
        ...member,
        memberId: unnamed(member.memberId),
        tags: unnamedTags(member.tags),
      })) ?? null,
  };
}

function hasIdentified({ tags, furtherTags, members }: UsageEvent): boolean {
  return (
    isNamed(tags) ||
    Object.values(furtherTags).some(isSomebody) ||
    (members?.some((member) => isSomebody(member.memberId) || isNamed(member.tags)) ?? false)
  );
}

function isNamed({ userId, feature, agentRunId, promptVersion }: AttributionTags): boolean {
  return (
    isSomebody(userId) || isSomebody(feature) || isSomebody(agentRunId) || isSomebody(promptVersion)
  );
}

function isSomebody(value: string | null): boolean {
  return value !== null && (isEmail(value) || (value.startsWith('email:') && HASH.test(value)));
}

function unnamed<Value extends string | null>(value: Value): Value | typeof SOMEBODY {
  return isSomebody(value) ? SOMEBODY : value;
}

function unnamedTags(tags: AttributionTags): AttributionTags {
  return {
    tenantId: tags.tenantId,
    userId: unnamed(tags.userId),
    feature: unnamed(tags.feature),
    agentRunId: unnamed(tags.agentRunId),
    promptVersion: unnamed(tags.promptVersion),
  };
}

/** `email:` and 32 hexadecimal digits of the HMAC-SHA-256 of an address, exactly as it was sent. */
export function hashOfEmail(value: string, key: string): string {
  if (!isEmail(value)) return value;
  return `email:${createHmac('sha256', key).update(value).digest('hex').slice(0, 32)}`;
}
