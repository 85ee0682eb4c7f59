import { present } from '../../present.ts';
import type { Remedy } from '../../remedy.ts';
import { advise } from '../../remedy.ts';
import type { MissingThing } from './missing-answer.ts';

/**
 * Returns what a person does about each kind of thing that a month lacks; alerts have remedies of
 * their own.
 */
export function missingRemedy(
  kind: Exclude<MissingThing['kind'], 'alert' | 'on_two_invoices' | 'on_voided_invoice'>,
  of: {
    readonly tenantId: string | null;
    readonly periodStart: string | null;
    /** Costs are known in another currency alone. */
    readonly wantsRates?: boolean;
  },
): Remedy {
  const month = of.periodStart?.slice(0, 7) ?? null;
  const setTenant = { operation: 'tenant set', tenant_id: of.tenantId, from: null } as const;
  const correct = { operation: 'correct', entry_id: null } as const;
  const importBook = { operation: 'price-book import' } as const;
  const rerate = { operation: 'rerate', month, tenant_id: null } as const;
  switch (kind) {
    case 'quarantined':
      return advise`${{ operation: 'quarantine list', all: false }} shows them; replay, accept or dismiss each, and send again what was wrong`;
    case 'under_two_tenants':
      return advise`say which stands: ${{ ...correct, by: 'void' }} takes the other back`;
    case 'reported_twice':
      return advise`say whose the call is, and which report of it stands: ${{ ...correct, by: 'void' }} takes back each entry of the other; of a divided call the divided one stands. Where each is a call of its own, take one back and send it anew with another event_id and without what they share (response_id, call_id or trace_id)`;
    case 'contradicting':
      return advise`look at both: ${{ ...correct, by: 'void' }} takes back the one without a tenant, and ${{ ...correct, by: 'move' }} says whose call of its own it is`;
    case 'unregistered_tenant':
      return advise`register it with ${{ ...setTenant, give: null }}, or with ${{ ...setTenant, give: 'price_book' }} where it pays by a book of its own; or move its entries with ${{ ...correct, by: 'move' }}`;
    case 'not_closed':
      return advise`close it with ${{ operation: 'close', month: present(month, 'a period that is not closed'), tenant_id: of.tenantId }}, and tell it with ${{ operation: 'push', month }}`;
    case 'untold':
      return advise`tell it with ${{ operation: 'push', month }}, or record what a person billed elsewhere with ${{ operation: 'stripe settled', tenant_id: null, month }}`;
    case 'unbilled':
      return advise`make a subscription with ${{ operation: 'stripe setup', currency: null, subscriptions: true, tenant_id: null }}, or bill it another way and record that with ${{ operation: 'stripe settled', tenant_id: of.tenantId, month }}`;
    case 'without_cost':
      if (of.wantsRates === true) {
        return advise`costs are known only in another currency: import dated exchange rates with ${{ operation: 'fx import' }}, or what the provider charges in this one with ${importBook}, then ${rerate}`;
      }
      return advise`import what the provider charges with ${importBook}, then ${rerate}`;
    case 'unrated':
      return advise`give the tenant a book with ${{ ...setTenant, give: 'price_book' }}, or import a price with ${importBook}, and then ${rerate}; where only a clock was wrong, ${{ ...correct, by: 'void' }}`;
    case 'unmeasured':
      return advise`give the usage with ${{ ...correct, by: 'usage' }}, or accept it as free with a reason`;
  }
}

/** Returns what a person does about an alert that says on which invoices a period stands. */
export function invoiceRemedy(
  kind: 'on_two_invoices' | 'on_voided_invoice',
  of: { readonly alertId: bigint; readonly tenantId: string | null; readonly month: string | null },
): Remedy {
  const resolve = { operation: 'stripe resolve', alert_id: String(of.alertId) } as const;
  if (kind === 'on_two_invoices') {
    return advise`void or credit the invoice that should not be there, then ${resolve}`;
  }
  const settled = { operation: 'stripe settled', tenant_id: of.tenantId, month: of.month } as const;
  return advise`bill it another way and record that with ${settled}, or say what was done with ${resolve}`;
}
