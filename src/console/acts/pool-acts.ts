import { html } from 'hono/html';
import { showPool } from '../../allocation/allocate-pool.ts';
import { type AllocationAnswer, poolRequest } from '../../allocation/allocation-answer.ts';
import { BASES } from '../../allocation/consumption.ts';
import { DEFAULT_CURRENCY } from '../../rating/rate-event.ts';
import { Refusal } from '../../refusal.ts';
import { readRequest } from '../../request.ts';
import { amount, type Html, monthText } from '../view/amounts.ts';
import { chip, tenantLink } from '../view/table.ts';
import type { Act, ActField } from './act.ts';
import { firstRows } from './first-rows.ts';

const POOL: readonly ActField[] = [
  { name: 'pool', label: 'Pool', isRequired: true, hint: 'its name, such as gateway' },
  { name: 'month', label: 'Month', kind: 'month', isRequired: true },
];

const backToPools = ({ month = '' }: Readonly<Record<string, string>>) =>
  `/console/backtests?month=${month}`;

const allocate: Act = {
  name: 'allocate',
  title: 'Divide a shared spend',
  words:
    'Each tenant bears its part of what nobody’s calls caused alone, to the last picodollar; where it is billed, the customer reads it on the statement.',
  route: 'POST /v1/allocations',
  fields: [
    ...POOL,
    { name: 'amount', label: 'Amount', isRequired: true, hint: 'such as 1200.00' },
    { name: 'currency', label: 'Currency', hint: `${DEFAULT_CURRENCY} where it is empty` },
    { name: 'by', label: 'By', choices: BASES },
    { name: 'weights', label: 'Weights', hint: 'of tokens: input=1,output=5' },
    { name: 'billed', label: 'Billed to the tenants', choices: ['no', 'yes'] },
  ],
  preview: async ({ dryRun }) => sharesOf((await dryRun()) as AllocationAnswer),
  done: (answer) => sharesOf(answer as AllocationAnswer),
  back: backToPools,
};

const reversePool: Act = {
  name: 'reverse-pool',
  title: 'Take a division back',
  words: 'Each share is taken back by its reversal; the pool may then be divided again.',
  route: 'POST /v1/allocations/{pool}/{month}/reverse',
  fields: POOL,
  async preview({ parts, said }) {
    const { pool = '', month = '' } = said;
    const answer = await showPool(parts, readRequest(poolRequest, { pool, month }));
    if (answer.state !== 'reversed') return sharesOf(answer);
    throw new Refusal(
      'conflict',
      `pool "${pool}" of ${month} is taken back already`,
      'divide it again, or choose another one',
    );
  },
  done: (answer) => sharesOf(answer as AllocationAnswer),
  back: backToPools,
};

function sharesOf(answer: AllocationAnswer): Html {
  const { pool, month, amount: of, currency, by, billed, state, shares, notes } = answer;
  const states: Readonly<Record<AllocationAnswer['state'], string>> = {
    posted: 'divided',
    duplicate: 'divided already, and left as it is',
    dry_run: 'not posted yet',
    reversed: 'taken back',
    standing: 'stands',
  };
  return html`<p>${chip(states[state], state === 'duplicate' ? 'warn' : 'plain')} ${amount(of, currency)} of <bdi>${pool}</bdi>, ${monthText(month)}, by ${by.replaceAll('-', ' ')}, ${billed ? 'charged to the tenants' : 'as a cost alone'}.</p>
${firstRows({
  caption: 'Shares',
  rows: shares,
  empty: 'Nobody has a share.',
  columns: [
    { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
    { title: 'Weight', figure: true, cell: (row) => row.weight },
    { title: 'Cost', figure: true, cell: (row) => amount(row.cost, currency) },
    { title: 'Charge', figure: true, cell: (row) => amount(row.charge, currency) },
    { title: 'Period', minor: true, cell: (row) => row.period_start },
  ],
})}${notes.map((note) => html`<p class="hint">${note}</p>`)}`;
}

export const POOL_ACTS: readonly Act[] = [allocate, reversePool];
