import type { CallStep, RunEntry, RunSpan } from './run-step.ts';
import { stepsOf } from './run-step.ts';
import type { RunNode } from './run-tree.ts';
import { buildRunTree } from './run-tree.ts';
import type { RunWaste } from './run-waste.ts';
import { findWaste } from './run-waste.ts';

/**
 * What one tenant's spans share: their agent run, or, where they name none, their trace. A run that
 * several tenants have a part in is one run for each, and shows only that part.
 */
export interface SpansOfRun {
  readonly tenantId: string;
  readonly runId: string;
  readonly entries: readonly RunEntry[];
  readonly spans: readonly RunSpan[];
}

export interface AgentRun {
  readonly tenantId: string;
  readonly runId: string;
  /** Depth first. */
  readonly nodes: readonly RunNode[];
  /** Model calls, those that were taken back included. */
  readonly calls: readonly CallStep[];
  readonly waste: RunWaste;
  readonly succeeded: boolean;
}

/** Builds a run's tree and finds what was spent before its answers. Pure. */
export function analyzeRun(of: SpansOfRun, loopSteps?: number): AgentRun {
  const nodes = buildRunTree(stepsOf(of.entries, of.spans));
  const calls = nodes.flatMap(({ step }) => (step.kind === 'call' ? [step] : []));
  return {
    tenantId: of.tenantId,
    runId: of.runId,
    nodes,
    calls,
    waste: findWaste(nodes, loopSteps),
    succeeded: isSuccess(nodes, calls),
  };
}

/**
 * A run is successful when the span around it says so: of wrappers without a parent the one that
 * completed last. Without such a wrapper, when its last model call succeeded.
 */
function isSuccess(nodes: readonly RunNode[], calls: readonly CallStep[]): boolean {
  const around = nodes.filter(({ step, place }) => step.kind === 'wrapper' && place === 'root');
  const deciding =
    around.length > 0
      ? around.map(({ step }) => step.facts)
      : calls.filter((call) => call.stands).map((call) => call.facts);
  const last = deciding.reduce<(typeof deciding)[number] | null>(
    (latest, facts) => (latest === null || facts.occurredAt >= latest.occurredAt ? facts : latest),
    null,
  );
  return last?.status === 'ok';
}
