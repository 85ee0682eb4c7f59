import type { Transaction } from '../../database/database.ts';
import type { UsageEvent } from '../../events/event.ts';
import { isModelCall } from '../../events/event.ts';
import { tenantsOf } from '../entries/event-keys.ts';

/** A call in the ledger that was made under a hold (R23), and the event that is its entry. */
export interface Settlement {
  readonly holdId: string;
  readonly tenantId: string;
  readonly source: string;
  readonly eventId: string;
}

const NO_SETTLEMENTS: readonly Settlement[] = [];

/**
 * Returns the hold that a call names, for each tenant whom it concerns: only the one that it was
 * made for is settled.
 */
export function settlementsOf(event: UsageEvent): readonly Settlement[] {
  const { holdId, source, eventId } = event;
  if (holdId === null || !isModelCall(event)) return NO_SETTLEMENTS;
  return tenantsOf(event).map((tenantId) => ({ holdId, tenantId, source, eventId }));
}

/** Queues the holds that a batch settles for its fold; a batch without any writes nothing. */
export async function queueSettlements(
  transaction: Transaction,
  settlements: readonly Settlement[],
  batchId: bigint,
): Promise<void> {
  if (settlements.length === 0) return;
  await transaction.client.query({
    name: 'queue-settlements',
    text: `insert into settle_queue (batch_id, hold_id, tenant_id, source, event_id)
      select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[]) on conflict do nothing`,
    values: [
      batchId,
      settlements.map(({ holdId }) => holdId),
      settlements.map(({ tenantId }) => tenantId),
      settlements.map(({ source }) => source),
      settlements.map(({ eventId }) => eventId),
    ],
  });
}
