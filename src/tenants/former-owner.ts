import { formatInstant, type InstantMs } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import { periodContaining } from '../periods/calendar.ts';
import { Refusal } from '../refusal.ts';
import type { Remedy } from '../remedy.ts';
import { advise } from '../remedy.ts';
import type { UnfinishedPeriod } from './former-owner-store.ts';
import { readLastCounted, readUnfinishedWith, readUntoldBefore } from './former-owner-store.ts';
import type { Tenant } from './tenant.ts';
import { readOtherTenantOf } from './tenant-store.ts';

/** A tenant that is about to be given a customer. */
interface Taking {
  readonly taker: Pick<Tenant, 'tenantId' | 'calendar'>;
  readonly customer: string;
  readonly at: InstantMs;
}

/**
 * Refuses a customer that is another tenant's, or was and with which that one has not finished: Stripe tells the usage, the items
 * and the invoices of one customer apart by nothing but their period (law 6), so each period of one is one tenant's.
 */
export async function refuseCustomerInUse(transaction: Transaction, taking: Taking): Promise<void> {
  const { taker, customer } = taking;
  const whose = { customer, tenantId: taker.tenantId };
  const owner = await readOtherTenantOf(transaction, customer, taker.tenantId);
  const [unfinished] = await readUnfinishedWith(transaction, whose);
  if (owner !== null) refuseOwned(owner, { customer, unfinished });
  if (unfinished !== undefined) {
    throw new Refusal(
      'conflict',
      `Stripe customer ${customer} is not given to tenant "${taker.tenantId}": ${describe(unfinished)}, and two tenants behind one customer are not told apart`,
      finish(unfinished, customer),
    );
  }
  await refuseSharedPeriod(transaction, taking);
}

function refuseOwned(
  owner: string,
  of: { readonly customer: string; readonly unfinished: UnfinishedPeriod | undefined },
): never {
  const { customer, unfinished } = of;
  const taken = advise`take it from "${owner}" first, with ${link(owner)} and an empty customer`;
  throw new Refusal(
    'conflict',
    `Stripe customer ${customer} already belongs to tenant "${owner}"${unfinished === undefined ? '' : `, and ${describe(unfinished)}`}`,
    unfinished === undefined
      ? ['give each tenant a Stripe customer of its own; to hand this one over, ', ...taken]
      : [
          'give each tenant a Stripe customer of its own; to hand this one over, ',
          ...finish(unfinished, null),
          '; then ',
          ...taken,
        ],
  );
}

const WORDS: Readonly<Record<UnfinishedPeriod['what'], string>> = {
  open: 'has usage that is not closed',
  untold: 'is closed and not told whole',
  unproven: 'has something under way that no count has proven yet',
  draft: 'has a draft of an invoice that is not final',
  unbilled: 'is counted by the meter, and its invoice is not final',
};

function describe({ tenantId, periodStart, what }: UnfinishedPeriod): string {
  return `the period of tenant "${tenantId}" from ${periodStart} ${WORDS[what]}`;
}

/** Says what finishes a period with its customer; a tenant that has none any more needs this one back for it. */
function finish(
  { tenantId, periodStart, endsAt, what }: UnfinishedPeriod,
  taken: string | null,
): Remedy {
  const month = periodStart.slice(0, 7);
  const close = { operation: 'close', month, tenant_id: tenantId } as const;
  const push = { operation: 'push', month } as const;
  const reconcile = { operation: 'reconcile', month } as const;
  const told = advise`bill it with ${push}, and run ${reconcile} until it finds no difference and its invoice is final`;
  if (what !== 'open' && what !== 'untold') return told;
  const back =
    taken === null
      ? []
      : advise`give "${tenantId}" its customer ${taken} back with ${link(tenantId)}, or another one to be billed; with ${taken}, `;
  const shut = advise`close that period with ${close}, once it ends at ${formatInstant(endsAt)} or when the tenant leaves; then `;
  return [...back, ...(what === 'open' ? shut : []), ...told];
}

/**
 * What the meter counts for a customer is read for a period of one tenant: it may hold nothing of another's. So a tenant begins
 * with a customer of another's where a period of its own begins.
 */
async function refuseSharedPeriod(
  transaction: Transaction,
  { taker, customer, at }: Taking,
): Promise<void> {
  const { tenantId, calendar } = taker;
  const counted = await readLastCounted(transaction, { customer, tenantId });
  if (counted === null) return;
  const untold = await readUntoldBefore(transaction, { tenantId, before: counted.endsAt });
  const running = periodContaining(calendar, at);
  const mine = untold ?? (running.startsAt < counted.endsAt ? running.startDate : null);
  if (mine === null) return;
  const month = mine.slice(0, 7);
  const begin = formatInstant(running.endsAt);
  throw new Refusal(
    'conflict',
    `Stripe customer ${customer} is not given to tenant "${tenantId}" yet: its meter counts the period of tenant "${counted.tenantId}" from ${counted.periodStart} until ${formatInstant(counted.endsAt)}, and the period of "${tenantId}" from ${mine} shares time with that, so that the two are not told apart`,
    untold === null
      ? [`give it from ${begin} on, where the next period of "${tenantId}" begins`]
      : advise`bill that period by another customer with ${link(tenantId)}, or elsewhere with ${{ operation: 'stripe settled', tenant_id: tenantId, month }}; then give it from ${begin} on, where the next one begins`,
  );
}

function link(tenantId: string) {
  return {
    operation: 'tenant set',
    tenant_id: tenantId,
    give: 'stripe_customer',
    from: null,
  } as const;
}
