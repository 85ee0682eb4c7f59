import type { Parts } from '../parts.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import { previewStatements } from './preview/preview-statement.ts';
import type { StatementAnswer, StatementKey, StatementRequest } from './statement-answer.ts';
import { readStatements } from './statement-store.ts';

/** Shows the statement of a tenant's closed period, or what its open one comes to so far. */
export async function showStatement(
  parts: Pick<Parts, 'database' | 'view' | 'clock'>,
  { preview, ...key }: StatementRequest,
): Promise<StatementAnswer> {
  refuseNobody(key);
  const statements = preview
    ? await previewStatements(parts, key)
    : await readClosed(parts.view ?? parts.database, key);
  const [only, second] = statements;
  if (only === undefined) refuseNotClosed(key);
  return second === undefined ? only : statements;
}

function refuseNobody({ tenant_id: tenantId }: StatementKey): void {
  if (tenantId !== UNATTRIBUTED) return;
  throw new Refusal(
    'bad_request',
    `"${UNATTRIBUTED}" stands for usage without a tenant, for which nothing is due and no statement is made`,
    'ask for a usage report of it, and move usage to its tenant by correction',
  );
}

async function readClosed(view: Parts['database'], { month, tenant_id: tenantId }: StatementKey) {
  await readTenant(view.kysely, tenantId);
  return readStatements(view, { month, tenantId });
}

export function refuseNotClosed({ tenant_id: tenantId, month }: StatementKey): never {
  throw new Refusal(
    'too_early',
    `tenant "${tenantId}" has no closed period that begins in ${month}`,
    advise`close it first, with ${{ operation: 'close', month, tenant_id: tenantId }}; for the total so far, use ${{ operation: 'statement', tenant_id: tenantId, month, show: 'preview' }}`,
  );
}
