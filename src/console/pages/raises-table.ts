import { html } from 'hono/html';
import type { RaiseAnswer, RaisesAnswer } from '../../budgets/raises/raise-answer.ts';
import { amountText, countText, type Html, instantOr } from '../view/amounts.ts';
import { actLink, dataTable, tenantLink } from '../view/table.ts';
import type { PageAsked } from './page-asked.ts';

/** Renders requests to raise a limit, each with what an operator answers. */
export function raisesTable({ mayAct }: Pick<PageAsked, 'mayAct'>, raises: RaisesAnswer): Html {
  return dataTable({
    caption: 'Requests to raise a limit',
    rows: raises,
    empty: 'Nobody waits for an answer.',
    columns: [
      { title: 'Tenant', cell: (row) => tenantLink(row.tenant_id) },
      { title: 'Limit', figure: true, cell: (row) => limitText(row, row.limit_then) },
      { title: 'Asked for', figure: true, cell: (row) => limitText(row, row.limit_asked) },
      { title: 'Why', cell: (row) => html`<bdi>${row.asked_because}</bdi>` },
      { title: 'Asked by', minor: true, cell: (row) => html`<bdi>${row.asked_by}</bdi>` },
      { title: 'Since', minor: true, cell: (row) => instantOr(row.asked_at, '—') },
      { title: 'Answer', cell: (row) => answersOf({ mayAct }, row) },
    ],
  });
}

function answersOf(asked: Pick<PageAsked, 'mayAct'>, { request_id }: RaiseAnswer): Html {
  const query = { request_id };
  return html`${actLink(asked, 'Approve', { act: 'approve-raise', query })} ${actLink(asked, 'Refuse', { act: 'refuse-raise', query })}`;
}

export function limitText({ currency }: Pick<RaiseAnswer, 'currency'>, limit: string): string {
  return currency === null ? `${countText(limit)} tokens` : amountText(limit, currency);
}
