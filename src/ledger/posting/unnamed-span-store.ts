import type { Transaction } from '../../database/database.ts';

/** A call whose span names no operation. */
export interface UnnamedSpan {
  readonly tenantId: string;
  readonly source: string;
  readonly eventId: string;
  readonly traceId: string;
  readonly spanId: string;
}

/** Keeps which calls name no operation: it is no part of their content, and no hash covers it. */
export async function insertUnnamedSpans(
  transaction: Transaction,
  spans: readonly UnnamedSpan[],
): Promise<void> {
  if (spans.length === 0) return;
  await transaction.client.query(
    `insert into unnamed_spans (tenant_id, source, event_id, trace_id, span_id)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) order by 1, 2, 3`,
    [
      spans.map(({ tenantId }) => tenantId),
      spans.map(({ source }) => source),
      spans.map(({ eventId }) => eventId),
      spans.map(({ traceId }) => traceId),
      spans.map(({ spanId }) => spanId),
    ],
  );
}
