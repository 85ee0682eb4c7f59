import type { Command } from 'commander';
import type { RunStepAnswer, TenantRun } from '../../reports/runs/run-answer.ts';
import { runRequest } from '../../reports/runs/run-answer.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import type { RunTotals } from '../../reports/runs/runs-answer.ts';
import { showRun } from '../../reports/runs/show-run.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { AS_OF, readCount, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import type { DrawTable } from '../terminal/table.ts';

export function addAuditRun(group: Command): void {
  const command = group
    .command('run')
    .argument('<run>', 'an agent_run_id; or a trace_id, where the calls of the trace name no run')
    .description('an agent run as a tree: every step, what it came to, and what was spent in vain')
    .option('--tenant <tenant>', "only this one's part")
    .option('--as-of <instant>', AS_OF, readInstant)
    .option('--loop-steps <n>', 'growing repetitions that make a loop', readCount, LOOP_STEPS);
  perform<RunFlags>(command, async (session, { args: [run = ''], options }) => {
    const { tenant: tenant_id = null, asOf: as_of = null, loopSteps: loop_steps } = options;
    const request = readRequest(runRequest, { run, tenant_id, as_of, loop_steps });
    const runs = await showRun(session.parts(), request);
    const { table } = session.out;
    session.out.answer(runs, (shown) => shown.map((of) => render(of, table)).join('\n\n'));
  });
}

interface RunFlags {
  readonly tenant?: string;
  readonly asOf?: string;
  readonly loopSteps: number;
}

function render(of: TenantRun, table: DrawTable): string {
  const { run, tenant_id, succeeded, totals, steps } = of;
  const head = `Run ${run} of tenant ${tenant_id}: ${succeeded ? 'answered' : 'no answer'}`;
  const branches = branchesOf(steps);
  const tree = table(steps, [
    { title: 'STEP', value: (step) => `${branches.get(step.step) ?? ''}${nameOf(step)}` },
    { title: 'STATUS', value: statusOf, spare: true },
    {
      title: 'INPUT',
      value: (step) => ofCalls(step, figureOf(step.below.input_tokens)),
      figure: true,
      spare: true,
    },
    {
      title: 'OUTPUT',
      value: (step) => ofCalls(step, figureOf(step.below.output_tokens)),
      figure: true,
      spare: true,
    },
    { title: 'CHARGE', value: (step) => ofCalls(step, chargeOf(step.below)), figure: true },
    { title: 'COST', value: (step) => ofCalls(step, step.below.cost ?? 'unknown'), figure: true },
    { title: 'ENTRY', value: (step) => (step.kind === 'call' ? step.entry_id : ''), spare: true },
    { title: '', value: (step) => step.mark ?? '' },
  ]);
  const rules = steps.flatMap((step) => (step.kind === 'call' ? step.rules : []));
  return [head, ...totals.map(renderTotals), '', tree, '', ...[...new Set(rules)].sort()].join(
    '\n',
  );
}

function renderTotals(totals: RunTotals): string {
  const { calls, failed, loops, charge, cost, currency } = totals;
  const { share_before_answer: share, cost_before_answer: wasted } = totals;
  const { calls_without_cost_rate: uncosted, calls_without_price: uncharged } = totals;
  return [
    `${counted(calls, 'call')}, ${figureOf(failed)} failed, ${counted(loops, 'loop')}; charge ${charge}, cost ${cost ?? 'unknown'} ${currency}`,
    ...(share === null || wasted === '0'
      ? []
      : [`${share} % of the cost, ${wasted}, was spent before the answer`]),
    ...(uncharged === 0
      ? []
      : [
          `${counted(uncharged, 'call is', 'calls are')} charged nothing as yet, for want of a price or of usage`,
        ]),
    ...(uncosted === 0
      ? []
      : [
          `${counted(uncosted, 'call has', 'calls have')} no known cost; that of the others is ${totals.known_cost}`,
        ]),
  ].join('\n');
}

/** Returns the lines of the tree before each step's name, by the step's number. */
function branchesOf(steps: readonly RunStepAnswer[]): ReadonlyMap<number, string> {
  const branches = new Map<number, string>();
  const trunks = new Map<number, string>();
  const lastChild = new Map(steps.map(({ parent_step, step }) => [parent_step, step]));
  for (const { step, parent_step: parent } of steps) {
    if (parent === null) {
      trunks.set(step, '');
      continue;
    }
    const trunk = trunks.get(parent) ?? '';
    const isLast = lastChild.get(parent) === step;
    branches.set(step, `${trunk}${isLast ? '└─ ' : '├─ '}`);
    trunks.set(step, `${trunk}${isLast ? '   ' : '│  '}`);
  }
  return branches;
}

const PLACE_NOTES: Readonly<Record<RunStepAnswer['place'], string>> = {
  root: '',
  child: '',
  orphan: ' (parent unknown)',
  cycle: ' (its own ancestor)',
};

function nameOf(step: RunStepAnswer): string {
  const note = PLACE_NOTES[step.place];
  if (step.kind === 'structure') return `${step.operation}${note}`;
  const { operation, requested_model: requested, executed_model: executed } = step;
  const fallback = executed === requested ? '' : ` → ${executed}`;
  const member = step.member_id === null ? '' : ` [${step.member_id}]`;
  return `${operation} ${requested}${fallback}${member}${note}`;
}

function statusOf({ status, error_type }: RunStepAnswer): string {
  return error_type === null ? status : `${status}: ${error_type}`;
}

/** What still waits for a price is no charge of zero: beside a part that is known it is named. */
function chargeOf({ calls, charge, calls_without_price: waiting }: RunStepAnswer['below']): string {
  if (waiting === 0) return charge;
  return waiting >= calls ? 'no price' : `${charge} + ${figureOf(waiting)} without`;
}

/** A wrapper without calls below it has nothing to say about tokens or money. */
function ofCalls(step: RunStepAnswer, figure: string): string {
  return step.kind === 'structure' && step.below.calls === 0 ? '' : figure;
}
