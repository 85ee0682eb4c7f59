import type { Database } from '../database/database.ts';
import type { CloseRow } from '../ledger/closes/closed-periods-store.ts';
import { readCloses } from '../ledger/closes/closed-periods-store.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import type { SkippedPeriod } from './export-answer.ts';
import { readOpenPeriods } from './open-periods-store.ts';

/** The closed periods of a month that somebody is billed for, and the periods that are left out. */
export interface ExportedPeriods {
  readonly closes: readonly CloseRow[];
  readonly skipped: readonly SkippedPeriod[];
}

/** Throws a `Refusal` where no period of the month is closed, since an empty export would pass for a free month. */
export async function readExportedPeriods(
  database: Database,
  of: { readonly month: string; readonly tenantId: string | null },
): Promise<ExportedPeriods> {
  const { month, tenantId } = of;
  if (tenantId !== null) await readTenant(database.kysely, tenantId);
  const closes = await readCloses(database, of);
  if (closes.length === 0) {
    throw new Refusal(
      'too_early',
      `no period${tenantId === null ? '' : ` of "${tenantId}"`} that begins in ${month} is closed`,
      advise`close it first, with ${{ operation: 'close', month, tenant_id: tenantId }}`,
    );
  }
  const shadows = closes.filter(({ mode }) => mode === 'shadow');
  const open = await readOpenPeriods(database, of);
  return {
    closes: closes.filter(({ mode }) => mode === 'live'),
    skipped: [
      ...shadows.map((close) => skip(close, 'shadow')),
      ...open.map((period) => skip(period, 'open')),
    ],
  };
}

function skip(
  period: { readonly tenantId: string; readonly periodStart: string },
  why: SkippedPeriod['why'],
): SkippedPeriod {
  return { tenant_id: period.tenantId, period_start: period.periodStart, why };
}
