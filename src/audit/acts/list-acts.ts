import { hash } from 'node:crypto';
import { formatInstant } from '../../clock.ts';
import { cutPage } from '../../page.ts';
import type { Parts } from '../../parts.ts';
import { refuseUnknownTenant } from '../../tenants/asked-tenant.ts';
import { readActs } from './act-store.ts';
import type { ActsAnswer, ActsRequest, ChangedRow } from './acts-answer.ts';

/**
 * Lists the journal, act by act: who did what, when and why, and which rows came of it. The newest
 * first.
 */
export async function listActs(
  { database }: Pick<Parts, 'database'>,
  request: ActsRequest,
): Promise<ActsAnswer> {
  await refuseUnknownTenant({ database }, request.tenant_id);
  const found = await readActs(database, request);
  const { rows, next } = cutPage(found, request.limit, ({ act_id }) => [String(act_id)]);
  const acts = rows.map(({ act_id, at, entries, changes, ...act }) => ({
    ...act,
    rows: act.rows.map(withoutSecrets),
    act_id: String(act_id),
    at: formatInstant(at),
    entries: Number(entries),
    changes: Number(changes),
  }));
  return { acts, next_cursor: next };
}

/**
 * Returns a row without what lets its reader act in another's name: whoever knows the whole address of a receiver can
 * often write to it. It stands whole in the list of receivers, which is for an admin alone.
 */
function withoutSecrets(row: ChangedRow): ChangedRow {
  if (row.table !== 'webhook_endpoints') return row;
  const fields = row.fields.map((field) =>
    field.name === 'url'
      ? { ...field, was: placeOf(field.was), became: placeOf(field.became) }
      : field,
  );
  return { ...row, fields };
}

/** Shows whose an address is, and by the digest of the whole that it is another one. */
function placeOf(url: string | null): string | null {
  if (url === null) return null;
  const place = URL.canParse(url) ? new URL(url).origin : '';
  return `${place}/… (sha-256 ${hash('sha256', url).slice(0, 12)})`;
}
