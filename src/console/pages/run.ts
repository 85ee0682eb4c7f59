import { html } from 'hono/html';
import { parseInstant } from '../../clock.ts';
import { isWaiting } from '../../ledger/entries/waiting.ts';
import { type RunStepAnswer, runRequest, type TenantRun } from '../../reports/runs/run-answer.ts';
import { LOOP_STEPS } from '../../reports/runs/run-waste.ts';
import { showRun } from '../../reports/runs/show-run.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { amount, amountOr, countText, exactSum, type Html, percent } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { card, chip, dataTable, headOf, link, NOTHING, panel, tenantLink } from '../view/table.ts';
import { type ConsolePage, said } from './page-asked.ts';

/** One run as a tree: every step with its time, tokens, cost and charge, and what was in vain. */
export const runPage: ConsolePage = {
  path: '/console/runs/:run',
  async render({ parts, path, query }): Promise<Page> {
    const run = path['run'] ?? '';
    const asked = { run, tenant_id: said(query, 'tenant'), as_of: null, loop_steps: LOOP_STEPS };
    const answer = await showRun(parts, readRequest(runRequest, asked));
    return {
      title: `Run ${run}`,
      nav: 'Runs',
      body: html`${headOf(html`Run <bdi>${run}</bdi>`, html`${answer.map((of) => html`${tenantLink(of.tenant_id)} ${of.succeeded ? chip('answered', 'good') : chip('no answer', 'bad')} `)}`)}${answer.map(partOf)}`,
    };
  },
};

function partOf(of: TenantRun): Html {
  const [total] = of.totals;
  const cards =
    total === undefined
      ? ''
      : html`<div class="cards">
${card('Charged', amount(total.charge, total.currency), callsOf(total))}
${card('Cost', amountOr(total.cost, total.currency, 'unknown'), `${countText(total.failed)} failed, ${countText(total.later_attempts)} later attempts`)}
${card('Before the answer', amountOr(total.cost_before_answer, total.currency, 'unknown'), html`${percent(total.share_before_answer)} of the cost`)}
${card('Loops', countText(total.loops), `the same again, growing, ${LOOP_STEPS} times or more`)}</div>`;
  return html`${cards}${attemptsPanel(of.steps)}${panel(`Steps of ${of.tenant_id}`, treeOf(of.steps, total?.currency ?? 'USD'))}`;
}

/** Says how many calls stand behind a charge, and how many of them have none as yet. */
function callsOf({ calls, calls_without_price: waiting }: TenantRun['totals'][number]): string {
  const all = counted(calls, 'call');
  return waiting === 0 ? all : `${all}, ${countText(waiting)} of them without a price or a count`;
}

function treeOf(steps: readonly RunStepAnswer[], currency: string): Html {
  const depths = depthsOf(steps);
  const rows = steps.map((step) => rowOf(step, { depth: depths.get(step.step) ?? 0, currency }));
  const heads = HEADS.map((title, index) =>
    index < 2
      ? html`<th scope="col">${title}</th>`
      : html`<th scope="col" class="figure">${title}</th>`,
  );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Steps"><table class="rows tree"><caption>Steps of the run, each below its parent</caption><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

const HEADS = [
  ...['Step', 'Began', 'Took', 'Prompt', 'Tools', 'Memory', 'Response'],
  ...['Charge', 'Cost', 'Below it'],
];

type Call = Extract<RunStepAnswer, { readonly kind: 'call' }>;

/**
 * Renders the attempts of each call that took several, beside one another: what each asked, how it
 * ended, and what it came to.
 */
function attemptsPanel(steps: readonly RunStepAnswer[]): Html {
  const calls = steps.filter((step) => step.kind === 'call');
  const bySteps = new Map(calls.map((call) => [call.step, call]));
  const followed = new Set(calls.map((call) => call.follows_step));
  const chains = calls
    .filter(({ step, follows_step: before }) => before !== null && !followed.has(step))
    .map((last) => chainOf(last, bySteps));
  if (chains.length === 0) return html``;
  const most = Math.max(...chains.map((chain) => chain.length));
  const columns = Array.from({ length: most }, (_, index) => ({
    title: `Attempt ${index + 1}`,
    cell: (chain: readonly Call[]) => attemptCell(chain[index] ?? null),
  }));
  const name = (chain: readonly Call[]) => html`<bdi>${chain[0]?.requested_model ?? ''}</bdi>`;
  const total = {
    title: 'Charged in all',
    figure: true,
    cell: (chain: readonly Call[]) =>
      amount(exactSum(chain.map(({ charge }) => charge)), chain[0]?.currency ?? 'USD'),
  };
  return panel(
    'Attempts beside one another',
    dataTable({
      caption: 'Calls that took several attempts',
      rows: chains,
      empty: '',
      columns: [{ title: 'Call', cell: name }, ...columns, total],
    }),
  );
}

/** Returns the attempts of one call, the first one first. */
function chainOf(last: Call, bySteps: ReadonlyMap<number, Call>): readonly Call[] {
  const chain = [last];
  for (let call: Call | undefined = last; call?.follows_step != null; ) {
    call = bySteps.get(call.follows_step);
    if (call !== undefined) chain.unshift(call);
  }
  return chain;
}

function attemptCell(call: Call | null): Html {
  if (call === null) return html`${NOTHING}`;
  const end =
    call.status === 'ok' ? chip('answered', 'good') : chip(call.error_type ?? call.status, 'bad');
  return html`<span>${link(`/console/entries/${call.entry_id}`, call.executed_model)} ${end}<br>${call.started_at === null ? '' : `${tookText(call)}, `}${countText(call.input_tokens)} in, ${countText(call.output_tokens)} out<br>charge ${chargeOf(call)}, cost ${amountOr(call.cost, call.currency, 'unknown')}</span>`;
}

/** Parents stand before their children, so one pass is enough. */
function depthsOf(steps: readonly RunStepAnswer[]): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  for (const { step, parent_step: parent } of steps) {
    depths.set(step, parent === null ? 0 : (depths.get(parent) ?? 0) + 1);
  }
  return depths;
}

function rowOf(
  step: RunStepAnswer,
  { depth, currency }: { readonly depth: number; readonly currency: string },
): Html {
  const indent = html`<span class="depth" aria-hidden="true">${'│ '.repeat(Math.max(0, depth - 1))}${depth > 0 ? '└ ' : ''}</span>`;
  const began = step.started_at ?? step.occurred_at;
  const cell = (title: string, value: Html | string) =>
    html`<td class="figure" data-title="${title}">${value}</td>`;
  const name = html`${indent}${nameOf(step)} ${marksOf(step)}`;
  const time = html`<td data-title="Began">${began.slice(11, 19)}</td>${cell('Took', tookText(step))}`;
  if (step.kind === 'structure') {
    return html`<tr><th scope="row">${name}</th>${time}<td></td><td></td><td></td><td></td><td></td><td></td>${cell('Below it', amount(step.below.charge, currency))}</tr>`;
  }
  return html`<tr><th scope="row">${name}</th>${time}${cell('Prompt', countText(promptTokens(step)))}${cell('Tools', countText(step.tool_tokens))}${cell('Memory', countText(step.memory_tokens))}${cell('Response', countText(step.output_tokens))}${cell('Charge', chargeOf(step))}${cell('Cost', amountOr(step.cost, step.currency, 'unknown'))}${step.below.calls > 1 ? cell('Below it', amount(step.below.charge, step.currency)) : html`<td></td>`}</tr>`;
}

/** A charge that is still to come is none of zero. */
function chargeOf(call: Call): Html {
  return isWaiting(call) && call.stands
    ? html`<span class="soft">${call.outcome}</span>`
    : amount(call.charge, call.currency);
}

/** What is of no other layer is the prompt. */
function promptTokens(call: Call): string {
  return String(BigInt(call.input_tokens) - BigInt(call.tool_tokens) - BigInt(call.memory_tokens));
}

function nameOf(step: RunStepAnswer): Html {
  if (step.kind === 'structure') return html`<span class="soft">${step.operation}</span>`;
  const served =
    step.executed_model === step.requested_model
      ? ''
      : html` <span class="soft">→ ${step.executed_model}</span>`;
  return html`${link(`/console/entries/${step.entry_id}`, step.requested_model)}${served}`;
}

function marksOf(step: RunStepAnswer): readonly Html[] {
  return [
    ...(step.status === 'ok' ? [] : [chip(step.error_type ?? step.status, 'bad')]),
    ...(step.mark === null ? [] : [chip(step.mark, 'warn')]),
    ...(step.kind === 'call' && !step.stands ? [chip('taken back', 'plain')] : []),
    ...(step.place === 'orphan' || step.place === 'cycle' ? [chip(step.place, 'plain')] : []),
  ];
}

function tookText({ started_at: from, occurred_at: to }: RunStepAnswer): string {
  if (from === null) return '—';
  const ms = parseInstant(to) - parseInstant(from);
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
