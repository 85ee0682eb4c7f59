import { html } from 'hono/html';
import { entryStoryRequest } from '../../audit/story-answer.ts';
import { tellEntryStory } from '../../audit/tell-story.ts';
import type { AdjustmentAnswer } from '../../ledger/corrections/adjustment-answer.ts';
import type { CorrectWhereAnswer } from '../../ledger/corrections/bulk-answer.ts';
import type {
  CorrectionAnswer,
  ReattributeAnswer,
} from '../../ledger/corrections/correction-answer.ts';
import type { RerateAnswer } from '../../ledger/corrections/rerate-answer.ts';
import { readRequest } from '../../request.ts';
import { showTenant } from '../../tenants/show-tenant.ts';
import { showTenantRequest } from '../../tenants/tenant-answer.ts';
import { counted } from '../../text/counted.ts';
import { amount, countText, type Html } from '../view/amounts.ts';
import { dataTable, facts, link, tenantLink } from '../view/table.ts';
import type { Act, ActAsked } from './act.ts';
import { differenceOf } from './difference.ts';

const tenantPath = (said: Readonly<Record<string, string>>) =>
  `/console/tenants/${encodeURIComponent(said['tenant_id'] ?? '')}`;

const adjust: Act = {
  name: 'adjust',
  title: 'Credit or fee',
  words: 'The customer reads it with its reason on the statement of the period that is open now.',
  route: 'POST /v1/tenants/{tenant}/adjustments',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    {
      name: 'amount',
      label: 'Amount',
      isRequired: true,
      hint: 'below zero it is a credit: -12.00',
    },
  ],
  async preview({ parts, said }) {
    const asked = { tenant_id: said['tenant_id'] ?? '', most: 1 };
    const { tenant_id } = await showTenant(parts, readRequest(showTenantRequest, asked));
    const isCredit = (said['amount'] ?? '').startsWith('-');
    return html`<p>${tenantLink(tenant_id)} is ${isCredit ? 'credited' : 'charged'} <b>${(said['amount'] ?? '').replace('-', '')}</b> in the currency in which it pays.</p>`;
  },
  done(answer) {
    const { entry_id, amount: of, currency, period_start } = answer as AdjustmentAnswer;
    return html`<p>${link(`/console/entries/${entry_id}`, entry_id)}: ${amount(of, currency)}, in the period from ${period_start}.</p>`;
  },
  back: tenantPath,
};

const rerate: Act = {
  name: 'rerate',
  title: 'Re-rate a month',
  words:
    'The calls of the month are priced by the books as they are now; each that differs is taken back and posted again.',
  route: 'POST /v1/rerates',
  fields: [
    { name: 'month', label: 'Month', kind: 'month', isRequired: true },
    { name: 'tenant_id', label: 'Tenant', hint: 'every tenant where it is empty' },
  ],
  preview: async ({ dryRun }) => differenceOf((await dryRun()) as RerateAnswer),
  done: (answer) => differenceOf(answer as RerateAnswer),
  back: ({ month = '' }) => `/console/month?month=${month}`,
};

const correct: Act = {
  name: 'correct',
  title: 'Correct an entry',
  words:
    'The entry is taken back, and what it should have been is posted in its place; with nothing given it is only taken back.',
  route: 'POST /v1/entries/{entry}/corrections',
  fields: [
    { name: 'entry_id', label: 'Entry', isRequired: true },
    { name: 'tenant_id', label: 'Of another tenant' },
    { name: 'requested_model', label: 'Another model' },
    { name: 'user_id', label: 'Another user' },
    { name: 'feature', label: 'Another feature' },
    { name: 'status', label: 'Another status', choices: ['', 'ok', 'error', 'cancelled'] },
  ],
  read({ entry_id, ...change }) {
    return { entry_id, change: Object.keys(change).length === 0 ? null : change };
  },
  async preview({ parts, dryRun, said }) {
    const request = { entry_id: said['entry_id'] ?? '', as_of: null };
    const { entries } = await tellEntryStory(parts, readRequest(entryStoryRequest, request));
    const entry = entries.find(({ entry_id: id }) => id === said['entry_id']);
    const answer = (await dryRun()) as CorrectionAnswer;
    return correctionOf(answer, entry?.currency ?? 'USD');
  },
  done: (answer) => correctionOf(answer as CorrectionAnswer, null),
  back: ({ entry_id = '' }) => `/console/entries/${encodeURIComponent(entry_id)}`,
};

function correctionOf(answer: CorrectionAnswer, currency: string | null): Html {
  const shown = (exact: string | null) =>
    exact === null ? 'none' : currency === null ? exact : amount(exact, currency);
  return facts([
    ['Entry', link(`/console/entries/${answer.corrected}`, answer.corrected)],
    ['Charge before', shown(answer.charge_before)],
    ['Charge after', shown(answer.charge_after)],
    ['Cost before', shown(answer.cost_before)],
    ['Cost after', shown(answer.cost_after)],
    ['Reversal', answer.reversal ?? 'not posted yet'],
    ['Replacement', answer.replacement ?? 'none'],
  ]);
}

const moveUsage: Act = {
  name: 'move-usage',
  title: 'Move usage to another tenant',
  words:
    'Each call of one tenant is taken back and posted for the other, at the price that the other pays: for a name that was a slip.',
  route: 'POST /v1/corrections',
  fields: [
    { name: 'from_tenant', label: 'Of the tenant', isRequired: true },
    { name: 'tenant_id', label: 'To the tenant', isRequired: true },
    { name: 'month', label: 'Month', kind: 'month', hint: 'every month where it is empty' },
  ],
  read: ({ from_tenant, tenant_id, month = null }) => ({
    where: { tenant_id: from_tenant },
    month,
    change: { tenant_id },
  }),
  preview: async ({ dryRun }) => differenceOf((await dryRun()) as CorrectWhereAnswer),
  done: (answer) => differenceOf(answer as CorrectWhereAnswer),
  back: tenantPath,
};

const reattribute: Act = {
  name: 'reattribute',
  title: 'Give calls to a tenant',
  words:
    'Calls that came without a tenant are reversed and posted again for the tenant to which they belong, at that tenant’s prices.',
  route: 'POST /v1/reattributions',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    { name: 'user_id', label: 'Only of the user', hint: 'all of them where it is empty' },
    { name: 'feature', label: 'Only of the feature', hint: 'all of them where it is empty' },
    { name: 'agent_run_id', label: 'Only of the run', hint: 'all of them where it is empty' },
    { name: 'entry_ids', label: 'Only these entries', hint: 'ids with commas' },
  ],
  preview: async ({ dryRun }) => correctionsOf((await dryRun()) as ReattributeAnswer),
  done: (answer) => correctionsOf(answer as ReattributeAnswer),
  back: tenantPath,
};

const CORRECTIONS_SHOWN = 50;

function correctionsOf(rows: ReattributeAnswer): Html {
  const more = rows.length > CORRECTIONS_SHOWN;
  return html`<p>${counted(rows.length, 'entry', 'entries')} that ${rows.length === 1 ? 'has' : 'have'} no tenant.</p>${dataTable(
    {
      caption: 'Entries that are given to the tenant',
      rows: rows.slice(0, CORRECTIONS_SHOWN),
      empty: 'None fits.',
      columns: [
        { title: 'Entry', cell: (row) => link(`/console/entries/${row.corrected}`, row.corrected) },
        { title: 'Charge before', figure: true, cell: (row) => row.charge_before ?? 'none' },
        { title: 'Charge after', figure: true, cell: (row) => row.charge_after ?? 'none' },
        { title: 'Cost before', figure: true, cell: (row) => row.cost_before ?? 'unknown' },
        { title: 'Cost after', figure: true, cell: (row) => row.cost_after ?? 'unknown' },
        { title: 'Replacement', cell: (row) => row.replacement ?? 'not posted yet' },
      ],
    },
  )}${more ? html`<p class="hint">The first ${CORRECTIONS_SHOWN} of ${countText(rows.length)}.</p>` : ''}`;
}

const accept: Act = {
  name: 'accept',
  title: 'Accept as free',
  words:
    'Entries without a price or a measure are taken as free, and keep no month from being whole.',
  route: 'POST /v1/acceptances',
  fields: [{ name: 'entry_ids', label: 'Entries', isRequired: true, hint: 'ids with commas' }],
  preview: async ({ said }: ActAsked) =>
    html`<ul>${(said['entry_ids'] ?? '').split(/[\s,]+/).map((id) => html`<li>${link(`/console/entries/${id}`, id)} is charged nothing</li>`)}</ul>`,
  done: (answer) =>
    html`<p>${countText((answer as readonly CorrectionAnswer[]).length)} taken as free.</p>`,
  back: () => '/console/month',
};

export const CORRECTION_ACTS: readonly Act[] = [
  ...[adjust, rerate, correct, moveUsage],
  ...[reattribute, accept],
];
