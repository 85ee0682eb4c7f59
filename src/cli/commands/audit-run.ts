import type { Command } from 'commander';
import { readRules } from '../../audit/billing-store.ts';
import { formatInstant, type InstantMs } from '../../clock.ts';
import { foldAll } from '../../ledger/rollups/fold-batches.ts';
import { formatPico } from '../../money.ts';
import { percentOf } from '../../reports/percent.ts';
import type { AgentRun } from '../../reports/runs/agent-run.ts';
import { analyzeRun } from '../../reports/runs/agent-run.ts';
import type { RunFigures } from '../../reports/runs/run-figures.ts';
import { figuresOf } from '../../reports/runs/run-figures.ts';
import type { CallStep, RunStep } from '../../reports/runs/run-step.ts';
import { readRun } from '../../reports/runs/run-store.ts';
import type { RunNode } from '../../reports/runs/run-tree.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import { AS_OF, readCount, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { table } from '../terminal/output.ts';

export function addAuditRun(group: Command): void {
  const command = group
    .command('run')
    .argument('<run>', 'an agent_run_id; or a trace_id, where the calls of the trace name no run')
    .description('an agent run as a tree: every step, what it came to, and what was spent in vain')
    .option('--tenant <tenant>', "only this one's part")
    .option('--as-of <instant>', AS_OF, readInstant)
    .option('--loop-steps <n>', 'growing repetitions that make a loop', readCount, LOOP_STEPS);
  perform<RunFlags>(command, async (session, { args: [runId = ''], options }) => {
    const database = session.database();
    const { tenant: tenantId = null, asOf } = options;
    if (asOf === undefined) await foldAll(database, session.clock);
    const known = asOf === undefined ? {} : { asOf };
    const found = await readRun(database, { runId, tenantId, ...known });
    const runs = found.map((of) => analyzeRun(of, options.loopSteps));
    const ids = runs.flatMap(({ calls }) => calls.map(({ facts }) => facts.entryId));
    const rules = Map.groupBy(await readRules(database, ids), ({ entry_id }) => entry_id);
    const rulesOf: RulesOf = (call) =>
      (rules.get(`ent_${call.facts.entryId}`) ?? []).map(({ rule }) => rule);
    session.out.answer(
      runs.map((run) => toDocument(run, rulesOf)),
      runs.map((run) => render(run, rulesOf)).join('\n\n'),
    );
  });
}

interface RunFlags {
  readonly tenant?: string;
  readonly asOf?: InstantMs;
  readonly loopSteps: number;
}

/** The rules and price versions behind the amounts of a call as it stands. */
type RulesOf = (call: CallStep) => readonly string[];

function toDocument(run: AgentRun, rulesOf: RulesOf) {
  const ids = new Map(run.nodes.map((node, index) => [node, index + 1]));
  return {
    tenant_id: run.tenantId,
    run: run.runId,
    succeeded: run.succeeded,
    totals: figuresOf(run, 'run').map(totalsOf),
    steps: run.nodes.map((node, index) => ({
      step: index + 1,
      parent_step: node.parent === null ? null : (ids.get(node.parent) ?? null),
      place: node.place,
      ...describe(node.step),
      mark: markOf(run, node.step),
      rules: node.step.kind === 'call' ? rulesOf(node.step) : [STRUCTURE_RULE],
      below: {
        calls: node.below.calls,
        input_tokens: String(node.below.inputTokens),
        output_tokens: String(node.below.outputTokens),
        charge: formatPico(node.below.charge),
        cost: formatPico(node.below.cost),
      },
    })),
  };
}

const STRUCTURE_RULE = 'structure of the run, never charged';

function totalsOf(row: RunFigures) {
  return {
    currency: row.currency,
    calls: row.calls,
    failed: row.failed,
    later_attempts: row.laterAttempts,
    loops: row.loops,
    calls_without_cost_rate: row.uncosted,
    charge: formatPico(row.charge),
    cost: formatPico(row.cost),
    charge_before_answer: formatPico(row.wastedCharge),
    cost_before_answer: formatPico(row.wastedCost),
    share_before_answer: percentOf(row.wastedCost, row.cost),
  };
}

function describe(step: RunStep) {
  const { facts } = step;
  const span = {
    operation: facts.operation,
    status: facts.status,
    error_type: facts.errorType,
    started_at: facts.startedAt === null ? null : formatInstant(facts.startedAt),
    occurred_at: formatInstant(facts.occurredAt),
    source: facts.source,
    event_id: facts.eventId,
    trace_id: facts.traceId,
    span_id: facts.spanId,
    parent_span_id: facts.parentSpanId,
  };
  if (step.kind === 'wrapper') return { ...span, kind: 'structure' };
  const call = step.facts;
  return {
    ...span,
    kind: 'call',
    member_id: call.memberId === '' ? null : call.memberId,
    requested_model: call.requestedModel,
    executed_model: call.executedModel,
    feature: call.feature,
    prompt_version: call.promptVersion,
    attempt: call.attempt,
    outcome: call.outcome,
    stands: step.stands,
    input_tokens: String(step.sum.inputTokens),
    output_tokens: String(step.sum.outputTokens),
    charge: formatPico(step.sum.charge),
    cost: formatPico(step.sum.cost),
    currency: call.currency,
    entries: step.entries.map((entry) => `ent_${entry.entryId}`),
  };
}

/** What was in vain about a step, in a few words; null where nothing was. */
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

function render(run: AgentRun, rulesOf: RulesOf): string {
  const head = `Run ${run.runId} of tenant ${run.tenantId}: ${run.succeeded ? 'answered' : 'no answer'}`;
  const branches = branchesOf(run.nodes);
  const tree = table(run.nodes, [
    { title: 'STEP', value: (node) => `${branches.get(node) ?? ''}${nameOf(node)}` },
    { title: 'STATUS', value: (node) => statusOf(node) },
    { title: 'INPUT', value: (node) => figure(node, node.below.inputTokens), figure: true },
    { title: 'OUTPUT', value: (node) => figure(node, node.below.outputTokens), figure: true },
    { title: 'CHARGE', value: (node) => amount(node, node.below.charge), figure: true },
    { title: 'COST', value: (node) => amount(node, node.below.cost), figure: true },
    { title: 'ENTRY', value: entryOf },
    { title: '', value: (node) => markOf(run, node.step) ?? '' },
  ]);
  const rules = [...new Set(run.calls.flatMap(rulesOf))].sort();
  return [head, ...figuresOf(run, 'run').map(renderTotals), '', tree, '', ...rules].join('\n');
}

function renderTotals(row: RunFigures): string {
  const count = (n: number, one: string, many: string) =>
    `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
  const share = percentOf(row.wastedCost, row.cost);
  return [
    `${count(row.calls, 'call', 'calls')}, ${row.failed} failed, ${count(row.loops, 'loop', 'loops')}; charge ${formatPico(row.charge)}, cost ${formatPico(row.cost)} ${row.currency}`,
    ...(share === null || row.wastedCost === 0n
      ? []
      : [`${share} % of the cost, ${formatPico(row.wastedCost)}, was spent before the answer`]),
    ...(row.uncosted === 0
      ? []
      : [`${count(row.uncosted, 'call has', 'calls have')} no known cost`]),
  ].join('\n');
}

/** The lines of the tree before each step's name. */
function branchesOf(nodes: readonly RunNode[]): ReadonlyMap<RunNode, string> {
  const branches = new Map<RunNode, string>();
  const trunks = new Map<RunNode, string>();
  for (const node of nodes) {
    const { parent } = node;
    if (parent === null) {
      trunks.set(node, '');
      continue;
    }
    const trunk = trunks.get(parent) ?? '';
    const isLast = parent.children.at(-1) === node;
    branches.set(node, `${trunk}${isLast ? '└─ ' : '├─ '}`);
    trunks.set(node, `${trunk}${isLast ? '   ' : '│  '}`);
  }
  return branches;
}

function nameOf({ step, place }: RunNode): string {
  const note = { root: '', child: '', orphan: ' (parent unknown)', cycle: ' (its own ancestor)' };
  if (step.kind === 'wrapper') return `${step.facts.operation}${note[place]}`;
  const { operation, requestedModel, executedModel, memberId } = step.facts;
  const fallback = executedModel === requestedModel ? '' : ` → ${executedModel}`;
  const member = memberId === '' ? '' : ` [${memberId}]`;
  return `${operation} ${requestedModel}${fallback}${member}${note[place]}`;
}

function statusOf({ step: { facts } }: RunNode): string {
  return facts.errorType === null ? facts.status : `${facts.status}: ${facts.errorType}`;
}

/** A wrapper without calls below it has nothing to say about tokens or money. */
function figure(node: RunNode, tokens: bigint): string {
  return node.step.kind === 'wrapper' && node.below.calls === 0
    ? ''
    : tokens.toLocaleString('en-US');
}

function amount(node: RunNode, pico: bigint): string {
  return figure(node, 0n) === '' ? '' : formatPico(pico);
}

function entryOf({ step }: RunNode): string {
  return step.kind === 'wrapper' ? '' : `ent_${step.facts.entryId}`;
}
