import type { Command } from 'commander';
import { readRequest } from '../../request.ts';
import type { AlertAnswer } from '../../stripe/alerts/alert-answer.ts';
import { alertsRequest } from '../../stripe/alerts/alert-answer.ts';
import { listAlerts } from '../../stripe/alerts/list-alerts.ts';
import { perform } from '../terminal/command.ts';
import { withRemedy } from '../terminal/commands-to-type.ts';
import { words } from '../terminal/words.ts';

export function addAlerts(group: Command): void {
  const command = group
    .command('alerts')
    .description('what pushes, webhooks and invoices found that a person must look at')
    .option('--all', 'those that were resolved, too');
  perform<{ all?: boolean }>(command, async (session, { options: { all = false } }) => {
    const alerts = await listAlerts(session.parts(), readRequest(alertsRequest, { all }));
    const text = session.out.table(alerts, [
      { title: 'ID', value: (row) => row.alert_id, figure: true },
      { title: 'ALERT', value: (row) => words(row.kind) },
      { title: 'OF', value: (row) => row.subject },
      { title: 'TENANT', value: (row) => row.tenant_id ?? '' },
      { title: 'PERIOD', value: (row) => row.period_start ?? '' },
      ...(all ? [{ title: 'RESOLVED', value: resolutionOf }] : []),
      { title: '', value: (row) => withRemedy(row.detail, row.remedy), below: true },
    ]);
    const none = all ? 'no alerts' : 'no open alerts';
    session.out.answer(alerts, alerts.length === 0 ? none : text);
  });
}

function resolutionOf({ resolution, resolved_by: resolvedBy }: AlertAnswer): string {
  return resolution === null ? '' : `${resolution} (${resolvedBy})`;
}
