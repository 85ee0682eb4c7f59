import { textRows } from '../support/database.ts';
import type { SaidCall } from './accepted.ts';
import { chargeOf, isDue } from './accepted.ts';
import type { World } from './world.ts';

export type Row = Readonly<Record<string, string | null>>;

/** What an entry of the ledger adds to its tenant's period. */
export interface Billed {
  readonly tenantId: string;
  readonly period: string;
  readonly charge: bigint;
  readonly isDue: boolean;
}

/** What a row adds, which came of something of that time; it says itself whether that is due. */
export function billedOf(
  row: Row,
  of: Pick<Billed, 'tenantId' | 'charge'> & { readonly occurredAt: number },
  wrong: string[],
): Billed {
  const { tenantId, charge, occurredAt } = of;
  const period = row['period_start'] ?? '';
  const due = isDue(tenantId, { occurredAt, period });
  if ((row['not_due'] === null) !== due) {
    wrong.push(`${row['event_id']} of ${tenantId} is not due: ${row['not_due']}`);
  }
  return { tenantId, period, charge, isDue: due };
}

/**
 * A correction takes back what stood, to the unit, and puts one that was asked for in its place; one whose operator
 * was answered is there, and none is there twice.
 */
export function compareCorrections(
  { accepted }: World,
  of: { readonly call: SaidCall; readonly later: readonly Row[]; readonly wrong: string[] },
): readonly Billed[] {
  const { call, later, wrong } = of;
  const asked = accepted.corrected.filter(({ eventId }) => eventId === call.eventId);
  const tenantId = call.tenantId ?? 'unattributed';
  const billed: Billed[] = [];
  const made = new Set<number | null>();
  let standing: SaidCall | null = call;
  const { occurredAt } = call;
  for (const row of later) {
    if (row['is_reversal'] === 'true') {
      const charge: bigint = standing === null ? 0n : -chargeOf(standing);
      if (
        standing === null ||
        row['output'] !== `${-standing.output}` ||
        row['charge'] !== `${charge}`
      ) {
        wrong.push(`${call.eventId} is taken back as ${JSON.stringify(row)}`);
      }
      billed.push(billedOf(row, { tenantId, charge, occurredAt }, wrong));
      standing = null;
      continue;
    }
    const output = Number(row['output']);
    if (standing !== null || made.has(output) || !asked.some((one) => one.output === output)) {
      wrong.push(`nobody asked for this correction, or it is there twice: ${JSON.stringify(row)}`);
      continue;
    }
    made.add(output);
    standing = { ...call, output };
    if (row['charge'] !== `${chargeOf(standing)}`) {
      wrong.push(`${call.eventId} is ${row['charge']} once corrected, not ${chargeOf(standing)}`);
    }
    billed.push(billedOf(row, { tenantId, charge: chargeOf(standing), occurredAt }, wrong));
  }
  if (standing === null) made.add(null);
  for (const { isPosted, output } of asked) {
    if (isPosted && !made.has(output)) wrong.push(`${call.eventId} was corrected to ${output}`);
  }
  return billed;
}

/** Each adjustment is there once where its operator was answered, and once or not at all where he was not. */
export function compareAdjustments(
  { accepted }: World,
  of: { readonly rows: readonly Row[]; readonly wrong: string[] },
): readonly Billed[] {
  const found = new Set<string>();
  const billed: Billed[] = [];
  for (const row of of.rows) {
    const id = row['event_id'] ?? '';
    const asked = accepted.adjusted.get(id);
    const isSame = asked?.tenantId === row['tenant_id'] && `${asked?.amount}` === row['charge'];
    if (asked === undefined || !isSame || found.has(id)) {
      of.wrong.push(`nobody asked for this adjustment: ${JSON.stringify(row)}`);
      continue;
    }
    found.add(id);
    const { tenantId, amount } = asked;
    const occurredAt = Date.parse(row['occurred_at'] ?? '');
    billed.push(billedOf(row, { tenantId, charge: amount, occurredAt }, of.wrong));
  }
  for (const { id, isPosted } of accepted.adjusted.values()) {
    if (isPosted && !found.has(id)) of.wrong.push(`adjustment ${id} is lost`);
  }
  return billed;
}

/** Whoever wants to hear of it has heard of every close, and of each thing the same each time. */
export async function compareHeard({ bench, receiver }: World): Promise<readonly string[]> {
  const { database } = bench.parts;
  const rows = await textRows(
    database,
    `select c.tenant_id, c.period_start, 'evt_' || e.event_id as id, d.state,
       e.data->>'billable' as told, (c.billable_micro / 1000000.0)::numeric(30, 6) as billable
     from closes c
     left join webhook_events e on e.event_key = 'period.closed ' || c.tenant_id || ' ' || c.period_start
     left join webhook_deliveries d on d.event_id = e.event_id where c.tenant_id <> 'unattributed'`,
  );
  const bodies = new Map<string, string>();
  const wrong: string[] = [];
  for (const { id, body } of receiver.heard) {
    if ((bodies.get(id) ?? body) !== body) wrong.push(`${id} was told in two ways`);
    bodies.set(id, body);
  }
  for (const row of rows) {
    const isHeard = bodies.has(row['id'] ?? '') || row['state'] === 'dead';
    if (!isHeard || row['state'] === 'pending' || Number(row['told']) !== Number(row['billable'])) {
      wrong.push(`nobody heard of this close, or of another: ${JSON.stringify(row)}`);
    }
  }
  return wrong;
}
