import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import type { StatementAnswer, StatementRequest } from './statement-answer.ts';
import { readStatements } from './statement-store.ts';

/** The statement of a tenant's closed period. */
export async function showStatement(
  { database, view = database }: Pick<Parts, 'database' | 'view'>,
  request: StatementRequest,
): Promise<StatementAnswer> {
  const { month, tenant_id: tenantId } = request;
  await readTenant(view.kysely, tenantId);
  const statements = await readStatements(view, { month, tenantId });
  const [only, second] = statements;
  if (only === undefined) refuseNotClosed(request);
  return second === undefined ? only : statements;
}

export function refuseNotClosed({ tenant_id: tenantId, month }: StatementRequest): never {
  throw new Refusal(
    'too_early',
    `tenant "${tenantId}" has no closed period that begins in ${month}`,
    advise`close it first, with ${{ operation: 'close', month, tenantId }}`,
  );
}
