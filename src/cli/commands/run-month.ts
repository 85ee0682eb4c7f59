import { resolve } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { lastMonth } from '../../clock.ts';
import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import type { CoverageBounds, MonthRequest, StepAnswer } from '../../month/month-answer.ts';
import { monthRequest } from '../../month/month-answer.ts';
import { planMonth } from '../../month/plan-month.ts';
import { runMonthAlone } from '../../month/start-month.ts';
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
      'the month in which the periods begin, YYYY-MM; "last" is the one before this',
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
    const begins = month === 'last' ? lastMonth(session.clock) : month;
    const given = { month: begins, folder: resolve(out), issuer, ...bounds };
    const request = readRequest(monthRequest, given);
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

async function performMonth(session: Session, request: MonthRequest): Promise<void> {
  const { out } = session;
  const onStep = (step: StepAnswer['step'], done: number, all: number) =>
    out.progress(step, done, all);
  const parts = { ...(await openStripeParts(session)), phrase: remedyText, onStep };
  const answer = await runMonthAlone(parts, request);
  if (!answer.done) session.foundWrong();
  out.answer(answer, inParts(renderSteps(answer.steps, out.table), answer.missing, out));
}

async function showPlan(session: Session, request: MonthRequest): Promise<void> {
  const { out } = session;
  const parts = { ...(await openStripeParts(session)), phrase: remedyText };
  const plan = await planMonth(parts, request);
  const isWrong =
    plan.steps.some(({ state }) => state !== 'done') ||
    plan.closes.some(({ state }) => state === 'refused') ||
    plan.pushes.some(({ state }) => UNFINISHED.has(state));
  if (isWrong || plan.missing.length > 0) session.foundWrong();
  const text = [
    'nothing was closed, told or written (--dry-run)',
    renderSteps(plan.steps, out.table),
    renderPeriods(plan.closes, out.table),
    ...(plan.pushes.length === 0 ? [] : [renderPushes(plan.pushes, out.table)]),
  ].join('\n\n');
  out.answer(plan, inParts(text, plan.missing, out));
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
