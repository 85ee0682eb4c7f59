import type { ApiParts } from '../../api/api-parts.ts';
import { monthAfter } from '../../clock.ts';
import { reportUsage } from '../../reports/report-usage.ts';
import type { Dimension, UsageAnswer } from '../../reports/usage-answer.ts';
import { usageRequest } from '../../reports/usage-answer.ts';
import { readRequest } from '../../request.ts';

/** Returns usage of a month of UTC days by one dimension, as `report` asks for it. */
export function usageOfMonth(
  parts: Pick<ApiParts, 'database' | 'clock' | 'view'>,
  of: {
    readonly by: readonly Dimension[];
    readonly tenantId: string | null;
    readonly month: string;
  },
): Promise<UsageAnswer> {
  const days = { from: `${of.month}-01`, to: `${monthAfter(of.month)}-01` };
  const asked = { by: [...of.by], tenant_id: of.tenantId, month: null, ...days, as_of: null };
  return reportUsage(parts, readRequest(usageRequest, asked));
}
