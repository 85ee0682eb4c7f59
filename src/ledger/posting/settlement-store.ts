import type { Transaction } from '../../database/database.ts';

/** A call in the ledger that was made under a hold (R23), and the event that is its entry. */
export interface Settlement {
  readonly holdId: string;
  readonly tenantId: string;
  readonly source: string;
  readonly eventId: string;
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
