import { randomUUID } from 'node:crypto';
import { cutBody } from '../../events/cut-body.ts';
import type { ReadItem, SenderScope } from '../../events/item.ts';
import { type ReadContext, readBody } from '../../events/read-body.ts';
import { KEEP_EMAILS, type ReadSettings } from '../../events/read-item.ts';
import { namesStranger, nativeOf, withinScope, writeScoped } from '../../events/sender-scope.ts';
import type { Parts } from '../../parts.ts';
import { tellApart } from '../tell-apart.ts';
import type { EventKeeper, LetIn } from './event-keeper.ts';
import type { TakenAnswer, TakenEvent } from './taken-answer.ts';

export interface TakingParts extends Pick<Parts, 'clock'> {
  readonly reading: ReadSettings;
  readonly keeper: EventKeeper;
}

/**
 * Takes a request of a producer: reads it as the worker reads a message, cuts every event to the fields that
 * events have, and answers when all that is let in is durable. An event that cannot be posted is kept,
 * too: it waits in quarantine, as one does that came by the queue, held to the scope of its key. Only one that names
 * a tenant which the key may not name is kept nowhere, so that a leaked key bills nobody else.
 */
export async function takeEvents(
  { clock, reading, keeper }: TakingParts,
  request: { readonly body: string; readonly contentType: string; readonly scope: SenderScope },
): Promise<TakenAnswer> {
  const { body, contentType, scope } = request;
  const context: ReadContext = {
    ...reading,
    receivedAt: clock(),
    attributes: { 'content-type': contentType },
  };
  const read = tellApart(readBody(body, context), randomUUID());
  const items = read.map((item) => withinScope(item, scope));
  const strangers = new Set(items.filter((item) => isStranger(item, scope)));
  const letIn = items.filter((item) => !strangers.has(item)).map(cut);
  const outcomes = letIn.length === 0 ? [] : await keeper.keep(letIn);
  const outcomeOf = new Map(letIn.map(({ item }, index) => [item, outcomes[index]]));
  const events = items.map((item): TakenEvent => {
    const outcome = outcomeOf.get(item) ?? 'refused';
    return { ...identityOf(item), outcome, ...reasonOf(item, outcome) };
  });
  const taken = events.filter(({ outcome }) => TAKEN.has(outcome)).length;
  return { taken, not_taken: events.length - taken, events };
}

const TAKEN: ReadonlySet<string> = new Set(['accepted', 'posted', 'duplicate', 'empty']);

/** What names its tenants in a form of its own, and could not be read, is held to the scope when it is read again. */
function isStranger(item: ReadItem, scope: SenderScope): boolean {
  if (item.kind === 'event') return namesStranger(item.event, scope);
  const { tenantIds } = scope;
  const event = item.kind === 'refused' ? nativeOf(item) : null;
  if (tenantIds === null || event === null) return false;
  const parts = Array.isArray(event['members']) ? [event, ...event['members']] : [event];
  return parts.some((part) =>
    TENANT_FIELDS.some((name) => {
      const named: unknown = part?.[name];
      return named !== undefined && named !== null && !tenantIds.includes(String(named));
    }),
  );
}

const TENANT_FIELDS = ['tenant_id', 'customer_id'] as const;

/** Addresses follow the policy of whoever posts the event. */
function cut(item: ReadItem): LetIn {
  const { body } = cutBody(item.body(), KEEP_EMAILS);
  const tenantId = item.kind === 'event' ? item.event.tags.tenantId : null;
  const scope = item.kind === 'event' ? undefined : item.scope;
  const json = scope === undefined ? body : writeScoped(body, scope, KEEP_EMAILS);
  return { item, json, tenantId };
}

function identityOf(item: ReadItem): Pick<TakenEvent, 'event_id' | 'source'> {
  switch (item.kind) {
    case 'event':
      return { event_id: item.event.eventId, source: item.event.source };
    case 'refused':
      return { event_id: item.eventId, source: item.source };
    case 'empty':
      return { event_id: null, source: item.source };
  }
}

function reasonOf(
  item: ReadItem,
  outcome: TakenEvent['outcome'],
): Pick<TakenEvent, 'reason' | 'detail'> {
  if (outcome === 'refused') return { reason: 'not_permitted', detail: STRANGER };
  if (outcome === 'too_large') return { reason: 'too_large', detail: TOO_LARGE };
  if (outcome === 'conflict') return { reason: 'conflict', detail: CONFLICT };
  if (item.kind === 'refused') return { reason: item.reason, detail: item.detail };
  if (item.kind === 'event' && outcome === 'quarantined') {
    return { reason: 'occurred_too_early', detail: item.tooOld };
  }
  return { reason: null, detail: item.kind === 'empty' ? item.reason : null };
}

const STRANGER = 'the key may not name the tenant of this event; nothing of it is kept';
const TOO_LARGE =
  'the event is larger than a message of the queue may be, so nothing of it is kept; send less in its tags and members';
const CONFLICT =
  'the ledger holds this event with another content; it waits in quarantine, and the ledger is as it was';
