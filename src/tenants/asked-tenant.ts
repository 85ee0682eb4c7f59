import type { Parts } from '../parts.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { readTenant } from './tenant-store.ts';

/**
 * Throws a `Refusal` where there is no such tenant: an answer with nothing in it would hide the wrong spelling. Whoever is
 * answered about one tenant alone has named it by its key.
 */
export async function refuseUnknownTenant(
  { database, view = database }: Pick<Parts, 'database' | 'view'>,
  tenantId: string | null,
): Promise<void> {
  if (tenantId === null || tenantId === UNATTRIBUTED || view !== database) return;
  await readTenant(database.kysely, tenantId);
}
