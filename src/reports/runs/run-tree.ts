import type { RunStep, StepSum } from './run-step.ts';

/** A step with what happened below it. */
export interface RunNode {
  readonly step: RunStep;
  readonly parent: RunNode | null;
  readonly children: readonly RunNode[];
  /**
   * `orphan`: its parent is not in this run: not sent, not arrived yet, or another tenant's. `cycle`:
   * its parents lead back to it, and the tree is cut here.
   */
  readonly place: 'root' | 'child' | 'orphan' | 'cycle';
  readonly depth: number;
  /** The sum of the step and everything below it. */
  readonly below: StepSum & {
    readonly calls: number;
    /** Calls among them that succeeded. */
    readonly answers: number;
  };
}

/**
 * Builds the trees of a run, every step exactly once, parents before children. A parent is looked
 * for in its child's own trace; of several steps with one span id (members of a batch, a span
 * reported twice) the one that began first is the parent. A step without ids, or whose parent
 * nobody knows, is a root.
 */
export function buildRunTree(steps: readonly RunStep[]): readonly RunNode[] {
  const nodes = steps.map(
    (step): GrowingNode => ({
      step,
      parent: null,
      children: [],
      place: 'root',
      depth: 0,
      below: ownSum(step),
    }),
  );
  const bySpan = new Map<string, GrowingNode>();
  for (const node of nodes) {
    const { traceId, spanId } = node.step.facts;
    if (spanId !== null && !bySpan.has(spanKey(traceId, spanId))) {
      bySpan.set(spanKey(traceId, spanId), node);
    }
  }
  for (const node of nodes) join(node, bySpan);
  cutCycles(nodes);
  for (const node of nodes) if (node.parent !== null) node.parent.children.push(node);
  const ordered = depthFirst(nodes.filter((node) => node.parent === null));
  for (const node of [...ordered].reverse()) addToParent(node);
  return ordered;
}

type GrowingNode = {
  -readonly [Key in keyof RunNode]: Key extends 'parent'
    ? GrowingNode | null
    : Key extends 'children'
      ? GrowingNode[]
      : RunNode[Key];
};

function ownSum(step: RunStep): RunNode['below'] {
  if (step.kind === 'wrapper') {
    return {
      inputTokens: 0n,
      outputTokens: 0n,
      toolTokens: 0n,
      memoryTokens: 0n,
      charge: 0n,
      notDue: 0n,
      cost: 0n,
      uncosted: 0,
      uncharged: 0,
      calls: 0,
      answers: 0,
    };
  }
  const calls = step.stands ? 1 : 0;
  return { ...step.sum, calls, answers: step.facts.status === 'ok' ? calls : 0 };
}

function spanKey(traceId: string | null, spanId: string): string {
  return JSON.stringify([traceId, spanId]);
}

function join(node: GrowingNode, bySpan: ReadonlyMap<string, GrowingNode>): void {
  const { traceId, parentSpanId } = node.step.facts;
  if (parentSpanId === null) return;
  node.parent = bySpan.get(spanKey(traceId, parentSpanId)) ?? null;
  node.place = node.parent === null ? 'orphan' : 'child';
}

/** Where parents lead in a circle, the step of it that began first becomes a root. */
function cutCycles(nodes: readonly GrowingNode[]): void {
  const order = new Map(nodes.map((node, index) => [node, index]));
  const clear = new Set<GrowingNode>();
  for (const node of nodes) {
    const path = new Set<GrowingNode>();
    let above: GrowingNode | null = node;
    while (above !== null && !clear.has(above) && !path.has(above)) {
      path.add(above);
      above = above.parent;
    }
    if (above !== null && path.has(above)) {
      const first = circleFrom(above).reduce((a, b) =>
        (order.get(a) ?? 0) < (order.get(b) ?? 0) ? a : b,
      );
      first.parent = null;
      first.place = 'cycle';
    }
    for (const passed of path) clear.add(passed);
  }
}

function circleFrom(start: GrowingNode): readonly GrowingNode[] {
  const circle = [start];
  for (let node = start.parent; node !== null && node !== start; node = node.parent) {
    circle.push(node);
  }
  return circle;
}

/** The walk uses no recursion: how deep a run goes is for its producer to say. */
function depthFirst(roots: readonly GrowingNode[]): readonly GrowingNode[] {
  const ordered: GrowingNode[] = [];
  const waiting = [...roots].reverse();
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    node.depth = node.parent === null ? 0 : node.parent.depth + 1;
    ordered.push(node);
    for (const child of [...node.children].reverse()) waiting.push(child);
  }
  return ordered;
}

function addToParent({ parent, below }: GrowingNode): void {
  if (parent === null) return;
  const sum = parent.below;
  parent.below = {
    inputTokens: sum.inputTokens + below.inputTokens,
    outputTokens: sum.outputTokens + below.outputTokens,
    toolTokens: sum.toolTokens + below.toolTokens,
    memoryTokens: sum.memoryTokens + below.memoryTokens,
    charge: sum.charge + below.charge,
    notDue: sum.notDue + below.notDue,
    cost: sum.cost + below.cost,
    uncosted: sum.uncosted + below.uncosted,
    uncharged: sum.uncharged + below.uncharged,
    calls: sum.calls + below.calls,
    answers: sum.answers + below.answers,
  };
}
