import { html } from 'hono/html';
import { Refusal } from '../../refusal.ts';
import { counted } from '../../text/counted.ts';
import { listEndpoints } from '../../webhooks/manage-endpoints.ts';
import type { EndpointsAnswer } from '../../webhooks/webhook-answer.ts';
import { countText, type Html, instantOr } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { actLink, address, chip, dataTable, headOf, link, panel, ways } from '../view/table.ts';
import type { ConsolePage } from './page-asked.ts';

/** Who is told of what happens, and what became of it; as at the other doors, for an admin alone. */
export const webhooksPage: ConsolePage = {
  path: '/console/webhooks',
  async render({ parts, mayAct }): Promise<Page> {
    if (!mayAct) {
      throw new Refusal(
        'not_permitted',
        'where webhooks go is shown to an admin alone',
        'sign in with a key of the role admin',
      );
    }
    const rows = await listEndpoints(parts);
    const sub = `${counted(rows.length, 'receiver')}, told by signed requests`;
    const head = headOf('Webhooks', sub, [
      actLink({ mayAct }, 'Add a receiver', { act: 'add-webhook', isFirst: true }),
      actLink({ mayAct }, 'Deliver once more', { act: 'replay-webhooks' }),
    ]);
    return {
      title: 'Webhooks',
      nav: 'Acts',
      body: html`${head}${panel('Receivers', tableOf(rows.slice(0, ROWS_SHOWN)))}`,
    };
  },
};

const ROWS_SHOWN = 100;
type Receiver = EndpointsAnswer[number];

function tableOf(rows: readonly Receiver[]): Html {
  return dataTable({
    caption: 'Receivers of webhooks',
    rows,
    empty: 'Nobody is told of anything.',
    columns: [
      { title: 'Address', cell: (row) => html`<bdi>${row.url}</bdi>` },
      { title: 'Hears of', cell: (row) => row.events?.join(', ') ?? 'everything' },
      {
        title: 'State',
        cell: (row) =>
          row.disabled_at === null
            ? row.dead > 0
              ? chip('some are lost', 'bad')
              : chip('told', 'good')
            : chip('disabled', 'plain'),
      },
      { title: 'Delivered', figure: true, cell: (row) => countText(row.delivered) },
      { title: 'Waiting', figure: true, cell: (row) => countText(row.pending) },
      { title: 'Given up', figure: true, cell: (row) => countText(row.dead) },
      { title: 'Last failure', minor: true, cell: (row) => row.last_failure ?? '—' },
      { title: 'Since', minor: true, cell: (row) => instantOr(row.created_at, '—') },
      { title: 'What to do', figure: true, cell: waysOf },
    ],
  });
}

function waysOf({ endpoint_id, disabled_at: disabled, dead }: Receiver): Html {
  const to = (act: string, words: string) =>
    link(address(`/console/act/${act}`, { endpoint_id }), words);
  const isTold = disabled === null;
  return ways([
    isTold ? to('test-webhook', 'Test') : '',
    isTold && dead > 0 ? to('replay-webhooks', 'Deliver again') : '',
    isTold ? to('disable-webhook', 'Disable') : '',
    to('remove-webhook', 'Remove'),
  ]);
}
