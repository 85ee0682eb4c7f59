import type { Command } from 'commander';
import { queueAddress } from '../../aws/sqs-client.ts';
import { openQueue } from '../../ingest/queue-client.ts';
import type { StatusAnswer } from '../../month/status/status-answer.ts';
import { statusRequest } from '../../month/status/status-answer.ts';
import { tellStatus } from '../../month/status/tell-status.ts';
import { readRequest } from '../../request.ts';
import { counted, figureOf } from '../../text/counted.ts';
import { readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { withRemedy } from '../terminal/commands-to-type.ts';
import { moneyText, timeOf } from '../terminal/figures.ts';
import { missingText } from '../terminal/missing.ts';
import { QUEUE_NOT_ASKED, STRIPE_NOT_ASKED } from '../terminal/not-asked.ts';
import type { Output } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { holdText } from './budget-text.ts';

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('how things stand; exit 1 where something keeps a month from being whole')
    .option(
      '--month <month>',
      'what this month lacks; without it, what is open or closed last',
      readMonth,
    );
  perform<{ month?: string }>(command, async (session, { options: { month = null } }) => {
    const queue = queueOf(session);
    try {
      const destinationFault =
        session.config.STRIPE_API_KEY === undefined ? STRIPE_NOT_ASKED : null;
      const parts = { ...session.parts(), queue: queue ?? QUEUE_NOT_ASKED, destinationFault };
      const answer = await tellStatus(parts, readRequest(statusRequest, { month }));
      if (answer.missing.length > 0) session.foundWrong();
      session.out.answer(answer, (shown) => statusText(shown, session.out));
    } finally {
      queue?.close();
    }
  });
}

function leaverText(leaver: StatusAnswer['leavers'][number]): string {
  const { tenant_id, currency, owed_to, not_closed, not_told } = leaver;
  const amounts = { 'owed to it': owed_to, 'not closed': not_closed, 'not told': not_told };
  const parts = Object.entries(amounts).flatMap(([what, amount]) =>
    amount === null || amount === '0' ? [] : [`${moneyText(amount)} ${what}`],
  );
  return `${JSON.stringify(tenant_id)}, ${currency ?? ''} ${parts.join(', ')}`;
}

function queueOf(session: Session) {
  if (session.config.SPANLEDGER_QUEUE_URL === undefined) return null;
  return openQueue({ ...queueAddress(session.config, 'SPANLEDGER_QUEUE_URL'), pollers: 1 });
}

function statusText(answer: StatusAnswer, out: Output): string {
  const said = (value: number | null) => (value === null ? 'not known' : figureOf(value));
  const rows: readonly (readonly [string, string])[] = [
    ['queue', answer.queue === null ? 'not known' : counted(answer.queue, 'message')],
    ['lag', answer.lag_seconds === null ? 'not known' : `${figureOf(answer.lag_seconds)} s`],
    ['last batch', answer.last_batch_at === null ? 'none yet' : timeOf(answer.last_batch_at)],
    [
      'open periods',
      `${figureOf(answer.open_periods)}, of which ${counted(answer.ended_periods, 'has', 'have')} ended`,
    ],
    ['unrated', said(answer.unrated)],
    ['unmeasured', said(answer.unmeasured)],
    ['without a cost', said(answer.without_cost)],
    ['quarantine', said(answer.quarantine)],
    ['under two tenants', said(answer.under_two_tenants)],
    ['reported twice', said(answer.reported_twice)],
    ['unregistered tenants', said(answer.unregistered_tenants)],
    ['holds', said(answer.holds)],
    ['untold periods', said(answer.untold_periods)],
    ['unbilled periods', said(answer.unbilled_periods)],
    ['on two invoices', said(answer.periods_on_two_invoices)],
    ['on voided invoices', said(answer.periods_on_voided_invoices)],
    ['alerts', said(answer.alerts)],
    ...answer.unknown_holds.map(
      ({ hold_id, tenant_id, source, event_id }) =>
        [
          'unknown hold',
          `${JSON.stringify(hold_id)} of ${JSON.stringify(tenant_id)}, named by event ${JSON.stringify(event_id)} of ${source}`,
        ] as const,
    ),
    ...answer.dead_webhooks.map(
      ({ endpoint_id, url, count }) =>
        ['webhooks given up', `${count} to ${endpoint_id}, ${url}`] as const,
    ),
    ...answer.leavers.map((leaver) => ['left', leaverText(leaver)] as const),
    ...answer.left_owed.map(
      ({ tenant_id, detail, remedy }) =>
        ['credit left', `${JSON.stringify(tenant_id)}: ${withRemedy(detail, remedy)}`] as const,
    ),
    ...answer.waiting_due.map(
      ({ tenant_id, detail, remedy }) =>
        ['due and waiting', `${JSON.stringify(tenant_id)}: ${withRemedy(detail, remedy)}`] as const,
    ),
    ...answer.second_reports.map(
      ({ source, because, count }) =>
        ['second reports', `${figureOf(count)} of ${source}, by ${because}`] as const,
    ),
    ['rollups behind', counted(answer.rollups_behind, 'batch', 'batches')],
    ['seals behind', counted(answer.seals_behind, 'batch', 'batches')],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(22)}${value}`);
  const whole =
    answer.missing.length === 0
      ? ['whole: nothing to look at']
      : [missingText(answer.missing, out)];
  const holds = answer.unsettled_holds.map(holdText);
  return [...lines, ...holds, ...answer.not_asked, '', ...whole].join('\n');
}
