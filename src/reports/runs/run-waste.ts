import type { CallStep } from './run-step.ts';
import type { RunNode } from './run-tree.ts';

/**
 * The reason why a call's cost was spent before the answer. `failed`: it failed or was cancelled.
 * `superseded`: it answered, and a later attempt of the same call answered again. `repeated`: a
 * step of a loop before its last. A call is counted once, by the first of these that holds.
 */
export type Waste = 'failed' | 'superseded' | 'repeated';

/**
 * The same step repeated with growing context: calls of one operation, model, feature and prompt
 * version under the same parent, one after the other, each with more input than the one before.
 */
interface Loop {
  /** The steps are at least as many as were asked for, in their order. */
  readonly steps: readonly CallStep[];
}

export interface RunWaste {
  readonly causes: ReadonlyMap<CallStep, Waste>;
  readonly loops: readonly Loop[];
  /** Later attempts, each with the attempt of the same call that it followed. */
  readonly follows: ReadonlyMap<CallStep, CallStep>;
}

/**
 * The number of steps from which on a repetition is taken for a loop. An agent that calls a tool or
 * two asks its model three times with growing context, and that is its work.
 */
export const LOOP_STEPS = 4;

/**
 * Finds what of a run was spent before its answers. Calls that were taken back count for nothing.
 */
export function findWaste(nodes: readonly RunNode[], loopSteps: number = LOOP_STEPS): RunWaste {
  const standing = nodes.flatMap((node) =>
    node.step.kind === 'call' && node.step.stands ? [{ node, call: node.step }] : [],
  );
  const follows = findEarlierAttempts(standing.map(({ call }) => call));
  const superseded = new Set(follows.values());
  const loops = findLoops(standing, loopPlaces(nodes), loopSteps);
  const repeated = new Set(loops.flatMap((loop) => loop.steps.slice(0, -1)));
  const causes = new Map<CallStep, Waste>();
  for (const { call } of standing) {
    if (call.facts.status !== 'ok') causes.set(call, 'failed');
    else if (superseded.has(call)) causes.set(call, 'superseded');
    else if (repeated.has(call)) causes.set(call, 'repeated');
  }
  return { causes, loops, follows };
}

interface PlacedCall {
  readonly node: RunNode;
  readonly call: CallStep;
}

/**
 * Later attempts, each with the one that it replaced (R8): of the same source and call id or, where one of the two has
 * none, of the same trace and parent, as the ledger joins attempts. An attempt above the first follows the latest
 * failed one with a lower number; where nothing failed, the latest answer of the same model. Members of a batch are no attempts.
 */
function findEarlierAttempts(calls: readonly CallStep[]): ReadonlyMap<CallStep, CallStep> {
  const follows = new Map<CallStep, CallStep>();
  const followed = new Set<CallStep>();
  const alone = calls.filter(({ facts }) => facts.memberId === '');
  const named = alone.filter(({ facts }) => facts.callId !== null);
  const traced = alone.filter(({ facts }) => facts.traceId !== null);
  const siblings = [
    ...Map.groupBy(named, ({ facts }) => JSON.stringify([facts.source, facts.callId])).values(),
    ...Map.groupBy(traced, ({ facts }) =>
      JSON.stringify([facts.source, facts.traceId, facts.parentSpanId, facts.operation]),
    ).values(),
  ];
  for (const together of siblings) {
    for (const [place, call] of together.entries()) {
      if (follows.has(call)) continue;
      const open = together.slice(0, place).filter((one) => !followed.has(one));
      const before = earlierAttemptOf(call, open);
      if (before === null) continue;
      followed.add(before);
      follows.set(call, before);
    }
  }
  return follows;
}

function earlierAttemptOf(call: CallStep, open: readonly CallStep[]): CallStep | null {
  if (call.facts.attempt === 1) return null;
  const { attempt, callId } = call.facts;
  const earlier = open.filter(
    ({ facts }) =>
      facts.attempt < attempt &&
      (facts.callId === null || callId === null || facts.callId === callId),
  );
  const failed = earlier.findLast(({ facts }) => facts.status !== 'ok');
  const answered = earlier.findLast(
    ({ facts }) => facts.status === 'ok' && facts.requestedModel === call.facts.requestedModel,
  );
  return failed ?? answered ?? null;
}

/** A call without tokens, such as one that was refused at once, says nothing of its context. */
function findLoops(
  calls: readonly PlacedCall[],
  places: ReadonlyMap<RunNode, string>,
  loopSteps: number,
): readonly Loop[] {
  const counted = calls.filter(({ call }) => call.sum.inputTokens > 0n);
  const byStep = Map.groupBy(counted, ({ node, call: { facts } }) =>
    JSON.stringify([
      places.get(node),
      facts.operation,
      facts.requestedModel,
      facts.feature,
      facts.promptVersion,
    ]),
  );
  const loops: Loop[] = [];
  for (const same of byStep.values()) {
    const inOrder = same.map(({ call }) => call).sort((a, b) => beganAt(a) - beganAt(b));
    for (const steps of growingStreaks(inOrder)) {
      if (steps.length >= loopSteps) loops.push({ steps });
    }
  }
  return loops;
}

/**
 * Returns the parent that counts, for each step: frameworks put each call into a step of its own,
 * so a wrapper with no other answer below it is passed over. Calls whose parent nobody knows have
 * the same one if its id is the same.
 */
function loopPlaces(nodes: readonly RunNode[]): ReadonlyMap<RunNode, string> {
  const places = new Map<RunNode, string>();
  for (const node of nodes) {
    const { parent } = node;
    const { traceId, parentSpanId } = node.step.facts;
    const passedOver =
      parent !== null && parent.below.answers <= 1 ? places.get(parent) : undefined;
    places.set(node, passedOver ?? JSON.stringify([traceId, parentSpanId]));
  }
  return places;
}

function growingStreaks(calls: readonly CallStep[]): readonly (readonly CallStep[])[] {
  const streaks: CallStep[][] = [];
  for (const call of calls) {
    const streak = streaks.at(-1);
    const before = streak?.at(-1);
    if (streak !== undefined && before !== undefined && follows(call, before)) streak.push(call);
    else streaks.push([call]);
  }
  return streaks;
}

/** Calls that ran side by side are no repetition of one another. */
function follows(call: CallStep, before: CallStep): boolean {
  return call.sum.inputTokens > before.sum.inputTokens && beganAt(call) >= before.facts.occurredAt;
}

function beganAt({ facts }: CallStep): number {
  return facts.startedAt ?? facts.occurredAt;
}
