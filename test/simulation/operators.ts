import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { correctEntry } from '../../src/ledger/corrections/correct-entry.ts';
import { runMonth } from '../../src/month/run-month.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import { deliverWebhooks } from '../../src/webhooks/webhook-loop.ts';
import { textRows } from '../support/database.ts';
import type { Adjusted, Corrected } from './accepted.ts';

const NOTE = { reason: 'simulated', actor: 'simulation' } as const;

/** Posts money without a call. The same again is the same, however often its operator dies. */
export async function adjust(parts: StripeParts, one: Adjusted): Promise<void> {
  const { id, tenantId, amount } = one;
  await adjustTenant(parts, { ...NOTE, id, tenant_id: tenantId, amount });
  one.isPosted = true;
}

/** Corrects what stands under an id now, if anything does. */
export async function correct(parts: StripeParts, one: Corrected): Promise<void> {
  const [entry] = await textRows(
    parts.database,
    `select entry_id from entries where event_id = $1 and not is_reversal and kind in ('usage', 'correction')
     order by revision desc limit 1`,
    [one.eventId],
  );
  if (entry === undefined) return;
  const change = one.output === null ? null : { output_tokens: one.output };
  await correctEntry(parts, { ...NOTE, entry_id: BigInt(entry['entry_id'] ?? 0), change });
  one.isPosted = true;
}

/** The whole monthly job, as a scheduler starts it. */
export async function runWholeMonth(parts: StripeParts, month: string): Promise<void> {
  const request = { month, folder: null, issuer: null };
  await runMonth({ ...parts, phrase: remedyText }, request);
}

/** Tells whoever wants to hear of it what happened, once or until nothing waits. */
export async function tellReceivers(parts: StripeParts, untilEmpty: boolean): Promise<void> {
  await deliverWebhooks({ ...parts, allowsPrivateWebhooks: true }, { untilEmpty });
}
