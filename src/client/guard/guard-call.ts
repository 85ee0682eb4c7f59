import { randomUUID } from 'node:crypto';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { answerFields } from '../calls/answer-fields.ts';
import type { RecordAnswer } from '../client-contract.ts';
import type { NewEvent } from '../new-event.ts';
import type { Recorder } from '../recorder.ts';
import type { UsageTags } from '../usage-scope.ts';
import { currentTags, ScopeHold, withHold, withUsage } from '../usage-scope.ts';
import type { BudgetDoor, ReserveSaid } from './budget-door.ts';
import { BudgetExceeded, BudgetUnavailable, ReserveRefused } from './budget-refusals.ts';
import type { ReserveAsked } from './reserve-asked.ts';

/** A call that is about to be made, at the most that it can use; what it leaves out is that of `withUsage`. */
export interface GuardedCall extends UsageTags {
  readonly model?: string | null;
  readonly provider?: string | null;
  readonly serviceTier?: 'standard' | 'batch' | 'flex' | 'priority';
  /** Tokens of the whole input, and the most that may come back. */
  readonly inputTokens?: number | null;
  readonly maxOutputTokens?: number | null;
  /** In their place, what the event will say under `usage`. */
  readonly usage?: NewEvent['usage'];
  /** A decimal string in the tenant's currency, where the caller knows what the call may come to. */
  readonly amount?: string | null;
  /** The caller's own id of the hold. @defaultvalue a random one */
  readonly holdId?: string;
  /** Milliseconds after which the call is given up, and its hold unsettled. @defaultvalue 600000 */
  readonly timeoutMs?: number;
  /** What to do when nobody can be asked and no answer has said it yet. @defaultvalue `deny` */
  readonly onUnavailable?: 'allow' | 'deny';
}

/** What the function that makes the call is told. */
export interface GuardedRun {
  /** It is null where no budget concerns the call. */
  readonly holdId: string | null;
  /** The server's answer; null where it could not be asked. */
  readonly answer: ReserveSaid | null;
  /** Records the call where no wrapper does and the result does not tell: its usage, its response id. */
  record(call: Partial<NewEvent>): RecordAnswer;
}

export type GuardedFunction<Result> = (run: GuardedRun) => Result | Promise<Result>;

interface GuardParts {
  readonly recorder: Recorder;
  readonly door: BudgetDoor | null;
}

/**
 * Guards a call step by step: the call is held for; it is made; its event carries the hold, from a
 * wrapper that watched it, by `record`, or from the result's own usage; the ledger settles the hold
 * when it counts the event. A call that throws gives its hold back. What a crash leaves behind is a
 * hold that expires, and is named.
 */
export async function guardCall<Result>(
  parts: GuardParts,
  call: GuardedCall,
  make: GuardedFunction<Result>,
): Promise<Result> {
  return withUsage(call, async () => {
    const { recorder } = parts;
    const { tenantId } = currentTags();
    if (parts.door === null || tenantId == null) throw new TypeError(missingFor(parts.door));
    const guarded = { tenantId, holdId: call.holdId ?? randomUUID() };
    const { holdId, answer } = await reserve({ recorder, door: parts.door }, call, guarded);
    const hold = new ScopeHold(holdId);
    const startedAt = recorder.clock();
    return withHold(hold, async () => {
      const record = (said: Partial<NewEvent>) =>
        recorder.meter({ ...eventOf(recorder, call, startedAt), ...said });
      try {
        const result = await make({ holdId, answer, record });
        // A stream is read by whoever gets it, and its wrapper records it then.
        if (hold.isUnderWay) hold.orElse(() => giveBack(parts, { ...guarded, holdId }));
        else if (!hold.isRecorded) record(toldBy(result, call));
        return result;
      } catch (error) {
        if (!hold.isRecorded) giveBack(parts, { ...guarded, holdId });
        throw error;
      }
    });
  });
}

/** What cannot be read of a result is a call that nobody measured, and the month names it. */
function toldBy(result: unknown, call: GuardedCall): Partial<NewEvent> {
  try {
    return answerFields(result, call);
  } catch {
    return { usage: {} };
  }
}

function missingFor(door: BudgetDoor | null): string {
  return door === null
    ? 'guard asks a server: open the client with server: { url, key }'
    : 'guard needs a tenantId, in the call or by withUsage: budgets are those of a tenant';
}

interface Guarded {
  readonly tenantId: string;
  readonly holdId: string;
}

/**
 * Answers what is held for a call that may be made. Without an answer the hold may stand all the same, and the event then
 * settles it; where the server refused the question, it made none.
 */
async function reserve(
  { recorder, door }: { readonly recorder: Recorder; readonly door: BudgetDoor },
  call: GuardedCall,
  guarded: Guarded,
): Promise<{ readonly holdId: string | null; readonly answer: ReserveSaid | null }> {
  const asked = askedOf(call, guarded);
  const reserved = await door.reserve(asked);
  if (reserved.kind === 'answered') {
    const { answer } = reserved;
    door.policies.remember(asked, answer.on_unavailable);
    if (answer.verdict === 'deny') throw new BudgetExceeded(answer);
    return { holdId: answer.hold_id, answer };
  }
  const policy = door.policies.of(asked) ?? call.onUnavailable ?? 'deny';
  if (reserved.kind === 'refused') {
    const refused = new ReserveRefused(guarded.tenantId, reserved.problem);
    // A tenant comes into being by its first call, and before that no budget of it can deny one.
    const isNew = reserved.problem.status === 404;
    if (!isNew || policy === 'deny') throw refused;
    recorder.trouble({ kind: 'budgets', error: refused });
    return { holdId: null, answer: null };
  }
  recorder.trouble({ kind: 'budgets', error: reserved.cause });
  if (policy === 'allow') return { holdId: guarded.holdId, answer: null };
  giveBack({ recorder, door }, guarded);
  throw new BudgetUnavailable(guarded.tenantId, reserved.cause);
}

function giveBack(
  { recorder, door }: GuardParts,
  { holdId, tenantId }: { readonly holdId: string | null; readonly tenantId: string },
): void {
  if (holdId === null) return;
  door?.release(holdId, tenantId, (error) => recorder.trouble({ kind: 'budgets', error }));
}

function askedOf(call: GuardedCall, { tenantId, holdId }: Guarded): ReserveAsked {
  const tags = currentTags();
  const seconds = Math.ceil((call.timeoutMs ?? 600_000) / 1000);
  return {
    tenant_id: tenantId,
    ...{ provider: call.provider ?? null, model: call.model ?? null },
    service_tier: call.serviceTier ?? 'standard',
    input_tokens: call.inputTokens ?? null,
    max_output_tokens: call.maxOutputTokens ?? null,
    ...{ usage: call.usage ?? null, amount: call.amount ?? null },
    ...{ feature: tags.feature ?? null, user_id: tags.userId ?? null },
    agent_run_id: tags.agentRunId ?? null,
    tags: tags.tags ?? null,
    hold_id: holdId,
    expires_in_seconds: Math.max(1, seconds),
  };
}

function eventOf(recorder: Recorder, call: GuardedCall, startedAt: InstantMs): NewEvent {
  return {
    occurred_at: formatInstant(recorder.clock()),
    started_at: formatInstant(startedAt),
    status: 'ok',
    operation: 'chat',
    provider: call.provider,
    requested_model: call.model,
    service_tier: call.serviceTier,
  };
}
