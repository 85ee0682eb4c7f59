import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import type {
  CoverageBounds,
  MonthAnswer,
  MonthPlanAnswer,
  MonthsRequest,
  StepAnswer,
} from '../../month/month-answer.ts';
import { monthsRequest } from '../../month/month-answer.ts';
import { planMonths, runMonths } from '../../month/run-months.ts';
import { ATTRIBUTION_TAGS } from '../../reports/tag-coverage-answer.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readMonthOrLast } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { remedyText } from '../terminal/commands-to-type.ts';
import { timeOf } from '../terminal/figures.ts';
import { missingText } from '../terminal/missing.ts';
import type { Output } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';
import type { DrawTable } from '../terminal/table.ts';
import { renderPeriods } from './close.ts';
import { renderPushes, UNFINISHED } from './push.ts';

export function addRunMonth(program: Command): void {
  const command = program
    .command('run-month')
    .argument(
      '<month>',
      'the month in which the periods begin, YYYY-MM; "last" is the one before this, after what is left open of the one before that',
      readMonthOrLast,
    )
    .description('the whole monthly job, resumable: call it again until it exits with 0')
    .option('--out <folder>', 'where the statements go', 'statements')
    .option(
      '--issuer <name>',
      'who issues them, on HTML and PDF, instead of the issuer that is set',
    )
    .option(
      '--coverage-min <bounds>',
      'close nothing unless so much of the cost names its tenant, user, …: tenant=95,feature=80',
      readBounds,
    )
    .option('--dry-run', 'show what would be closed and told, and change nothing');
  perform<MonthFlags>(addActor(command), async (session, { args: [month = ''], options }) => {
    const { out, issuer = null, coverageMin } = options;
    const bounds = coverageMin === undefined ? {} : { coverage_min: coverageMin };
    const request = readRequest(monthsRequest, { month, folder: resolve(out), issuer, ...bounds });
    if (options.dryRun === true) await showPlan(session, request);
    else await performMonth(session, request);
  });
}

interface MonthFlags {
  readonly out: string;
  readonly issuer?: string;
  readonly coverageMin?: CoverageBounds;
  readonly dryRun?: boolean;
}

async function performMonth(session: Session, request: MonthsRequest): Promise<void> {
  const { out } = session;
  const onStep = (step: StepAnswer['step'], done: number, all: number) =>
    out.progress(step, done, all);
  const parts = { ...(await openStripeParts(session)), phrase: remedyText, onStep };
  const answer = await runMonths(parts, request);
  if (!answer.done) session.foundWrong();
  const render = ({ steps, missing }: MonthAnswer) =>
    inParts(renderSteps(steps, out.table), missing, out);
  out.answer(answer, eachMonth([...answer.earlier, answer], render));
}

async function showPlan(session: Session, request: MonthsRequest): Promise<void> {
  const { out } = session;
  const parts = { ...(await openStripeParts(session)), phrase: remedyText };
  const plan = await planMonths(parts, request);
  const plans = [...plan.earlier, plan];
  if (plans.some(isWrong)) session.foundWrong();
  const text = eachMonth(plans, (each) => inParts(renderPlan(each, out.table), each.missing, out));
  out.answer(plan, `nothing was closed, told or written (--dry-run)\n\n${text}`);
}

function isWrong({ steps, closes, pushes, missing }: MonthPlanAnswer): boolean {
  return (
    steps.some(({ state }) => state !== 'done') ||
    closes.some(({ state }) => state === 'refused') ||
    pushes.some(({ state }) => UNFINISHED.has(state)) ||
    missing.length > 0
  );
}

function renderPlan({ steps, closes, pushes }: MonthPlanAnswer, table: DrawTable): string {
  return [
    renderSteps(steps, table),
    renderPeriods(closes, table),
    ...(pushes.length === 0 ? [] : [renderPushes(pushes, table)]),
  ].join('\n\n');
}

/** Names each month where there are several. */
function eachMonth<Month extends { readonly month: string }>(
  months: readonly Month[],
  render: (month: Month) => string,
): string {
  if (months.length === 1) return months.map(render).join('');
  return months.map((each) => `${each.month}\n\n${render(each)}`).join('\n\n');
}

function renderSteps(steps: readonly StepAnswer[], table: DrawTable): string {
  return table(steps, [
    { title: 'STEP', value: (row) => row.step },
    { title: 'STATE', value: (row) => row.state },
    { title: 'AT', value: (row) => timeOf(row.at) },
    { title: '', value: (row) => row.detail, below: true },
  ]);
}

function inParts(text: string, missing: readonly MissingThing[], out: Output): string {
  return missing.length === 0 ? text : `${text}\n\n${missingText(missing, out)}`;
}

/** Percents by tags, such as `tenant=95,feature=80`. */
function readBounds(text: string): CoverageBounds {
  const bounds = text.split(',').map((part) => {
    const [, name, percent] = /^\s*(\w+)=(\d{1,3})\s*$/.exec(part) ?? [];
    const tag = ATTRIBUTION_TAGS.find((one) => one === name);
    if (tag !== undefined && Number(percent) <= 100) return [tag, Number(percent)] as const;
    throw new InvalidArgumentError(
      `"${part}" is not a bound: write tag=percent, such as tenant=95, of ${ATTRIBUTION_TAGS.join(', ')}.`,
    );
  });
  return Object.fromEntries(bounds);
}
