import { formatInstant, formatInstantOrNull } from '../../clock.ts';
import { readRules } from '../../ledger/entries/rule-store.ts';
import { foldBeforeReading } from '../../ledger/rollups/reading-folds.ts';
import { formatPico } from '../../money.ts';
import type { Parts } from '../../parts.ts';
import { refuseUnknownTenant } from '../../tenants/asked-tenant.ts';
import type { AgentRun } from './agent-run.ts';
import { analyzeRun } from './agent-run.ts';
import { totalsOf } from './report-runs.ts';
import type { RunAnswer, RunRequest, RunStepAnswer, TenantRun } from './run-answer.ts';
import { figuresOf } from './run-figures.ts';
import type { CallStep, RunStep, StepSum } from './run-step.ts';
import { readRun } from './run-store.ts';
import type { RunNode } from './run-tree.ts';

/**
 * Shows an agent run as a tree, for each tenant that has a part in it: every step, what it came to,
 * and what was spent in vain. Throws a `Refusal` where nobody has a part.
 */
export async function showRun(
  parts: Pick<Parts, 'database' | 'clock' | 'view' | 'folds'>,
  { run: runId, tenant_id: tenantId, as_of: asOf, loop_steps: loopSteps }: RunRequest,
): Promise<RunAnswer> {
  const { database, view = database } = parts;
  await refuseUnknownTenant({ database, view }, tenantId);
  if (asOf === null) await foldBeforeReading(parts);
  const known = asOf === null ? {} : { asOf };
  const found = await readRun(view, { runId, tenantId, ...known });
  const runs = found.map((of) => analyzeRun(of, loopSteps));
  const ids = runs.flatMap(({ calls }) => calls.map(({ facts }) => facts.entryId));
  const rules = Map.groupBy(await readRules(view, ids), ({ entry_id }) => entry_id);
  const rulesOf: RulesOf = (call) => (rules.get(idOf(call)) ?? []).map(({ rule }) => rule);
  return runs.map((run) => toTenantRun(run, rulesOf));
}

/** The rules and price versions behind the amounts of a call as it stands. */
type RulesOf = (call: CallStep) => readonly string[];

function idOf(call: CallStep): string {
  return `ent_${call.facts.entryId}`;
}

function toTenantRun(run: AgentRun, rulesOf: RulesOf): TenantRun {
  const numbers = new Map(run.nodes.map((node, index) => [node, index + 1]));
  return {
    tenant_id: run.tenantId,
    run: run.runId,
    succeeded: run.succeeded,
    totals: figuresOf(run, 'run').map(totalsOf),
    steps: run.nodes.map((node) => toStep(run, { node, numbers, rulesOf })),
  };
}

function toStep(
  run: AgentRun,
  of: {
    readonly node: RunNode;
    readonly numbers: ReadonlyMap<RunNode, number>;
    readonly rulesOf: RulesOf;
  },
): RunStepAnswer {
  const { node, numbers, rulesOf } = of;
  const { step, below } = node;
  const placed = {
    step: numbers.get(node) ?? 0,
    parent_step: node.parent === null ? null : (numbers.get(node.parent) ?? null),
    place: node.place,
    ...spanOf(step),
    mark: markOf(run, step),
    below: {
      calls: below.calls,
      input_tokens: String(below.inputTokens),
      output_tokens: String(below.outputTokens),
      charge: formatPico(below.charge),
      calls_without_price: below.uncharged,
      cost: costOf(below),
    },
  };
  if (step.kind === 'wrapper') return { ...placed, kind: 'structure', rules: [STRUCTURE_RULE] };
  const before = run.waste.follows.get(step) ?? null;
  const nodeBefore = run.nodes.find((other) => other.step === before) ?? null;
  return {
    ...placed,
    kind: 'call',
    rules: rulesOf(step),
    ...callOf(step),
    follows_step: nodeBefore === null ? null : (numbers.get(nodeBefore) ?? null),
  };
}

/** A sum of which a part is unknown is unknown. */
function costOf({ cost, uncosted }: StepSum): string | null {
  return uncosted === 0 ? formatPico(cost) : null;
}

const STRUCTURE_RULE = 'structure of the run, never charged';

function spanOf({ facts }: RunStep) {
  return {
    operation: facts.operation,
    status: facts.status,
    error_type: facts.errorType,
    started_at: formatInstantOrNull(facts.startedAt),
    occurred_at: formatInstant(facts.occurredAt),
    source: facts.source,
    event_id: facts.eventId,
    trace_id: facts.traceId,
    span_id: facts.spanId,
    parent_span_id: facts.parentSpanId,
  };
}

function callOf(step: CallStep) {
  const { facts, sum, stands, entries } = step;
  return {
    member_id: facts.memberId === '' ? null : facts.memberId,
    requested_model: facts.requestedModel,
    executed_model: facts.executedModel,
    feature: facts.feature,
    prompt_version: facts.promptVersion,
    attempt: facts.attempt,
    outcome: facts.outcome,
    stands,
    input_tokens: String(sum.inputTokens),
    output_tokens: String(sum.outputTokens),
    tool_tokens: String(sum.toolTokens),
    memory_tokens: String(sum.memoryTokens),
    charge: formatPico(sum.charge),
    cost: costOf(sum),
    currency: facts.currency,
    entry_id: idOf(step),
    entries: entries.map((entry) => `ent_${entry.entryId}`),
  };
}

/** Returns what was in vain about a step, in a few words; null where nothing was. */
function markOf(run: AgentRun, step: RunStep): string | null {
  if (step.kind === 'wrapper') return null;
  if (!step.stands) return 'taken back or moved away';
  const marks = [
    step.facts.attempt > 1 ? `attempt ${step.facts.attempt}` : '',
    run.waste.causes.get(step) === 'superseded' ? 'another attempt followed' : '',
    loopMark(run, step),
    step.entries.length > 1 ? 'corrected' : '',
  ].filter((mark) => mark !== '');
  return marks.length === 0 ? null : marks.join(', ');
}

function loopMark(run: AgentRun, step: CallStep): string {
  for (const [index, { steps }] of run.waste.loops.entries()) {
    const place = steps.indexOf(step);
    if (place >= 0) return `loop ${index + 1}: step ${place + 1} of ${steps.length}`;
  }
  return '';
}
