import { formatInstant, formatInstantOrNull } from '../clock.ts';
import type { Parts } from '../parts.ts';
import type {
  QuarantineAnswer,
  QuarantinedAnswer,
  QuarantinedRequest,
  QuarantineRequest,
} from './quarantine-answer.ts';
import type { QuarantineRow } from './quarantine-store.ts';
import { listQuarantined, readQuarantined } from './quarantine-store.ts';

/** Lists what waits, oldest first; with `all`, what was replayed, too. */
export async function listQuarantine(
  { database }: Pick<Parts, 'database'>,
  request: QuarantineRequest,
): Promise<QuarantineAnswer> {
  return (await listQuarantined(database, request)).map(tellQuarantined);
}

/**
 * Shows one quarantined event, with its reason and its body; throws a `Refusal` where there is
 * none.
 */
export async function showQuarantined(
  { database }: Pick<Parts, 'database'>,
  { quarantine_id }: QuarantinedRequest,
): Promise<QuarantinedAnswer> {
  return tellQuarantined(await readQuarantined(database, quarantine_id));
}

function tellQuarantined(row: QuarantineRow): QuarantinedAnswer {
  return {
    ...row,
    quarantine_id: String(row.quarantine_id),
    received_at: formatInstant(row.received_at),
    replayed_at: formatInstantOrNull(row.replayed_at),
    dismissed_at: formatInstantOrNull(row.dismissed_at),
    purged_at: formatInstantOrNull(row.purged_at),
  };
}
