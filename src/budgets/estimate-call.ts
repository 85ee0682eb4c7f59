import type { InstantMs } from '../clock.ts';
import { totalInput, totalOutput, type UsageCounts } from '../events/event.ts';
import { findUsageContradiction, readUsage } from '../events/usage-fields.ts';
import type { Pico } from '../money.ts';
import type { PriceCatalog } from '../rating/books/price-catalog.ts';
import { DEFAULT_CURRENCY, ratePart } from '../rating/rate-event.ts';
import { WHOLE_CALL } from '../rating/split.ts';
import { Refusal } from '../refusal.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { assignedBook } from '../tenants/tenant.ts';
import type { CheckRequest } from './budget-answer.ts';

/** An estimate of what a call may cost, before it is made. */
export interface Estimate {
  /** It is null where the model has no price and the caller gave no amount. */
  readonly amount: Pico | null;
  readonly currency: string;
  /** It is null where the caller said nothing of tokens. */
  readonly tokens: bigint | null;
  readonly isPriced: boolean;
}

/**
 * The charge at the tenant's own rates, by the code that rates, in every unit and at the rate of the
 * whole context. Of an input of which nothing more is known nothing is cached, and all the output that is allowed comes back.
 */
export function estimateCall(
  call: CheckRequest,
  of: { readonly tenant: Tenant; readonly catalog: PriceCatalog; readonly now: InstantMs },
): Estimate {
  if (call.amount !== null && call.amount < 0n) {
    throw new Refusal('bad_request', 'no call is charged less than zero', 'give 0 or more');
  }
  const usage = readGivenUsage(call);
  if (usage === null && call.amount === null) {
    throw new Refusal(
      'bad_request',
      'the cost of the call cannot be estimated',
      'give its model with input_tokens and max_output_tokens, or with usage; or give an amount',
    );
  }
  const tokens = usage === null ? null : BigInt(totalInput(usage) + totalOutput(usage));
  const { charge, currency } = rate(call, usage ?? NOTHING_USED, of);
  const isPriced = call.model === null || charge !== null;
  return { amount: call.amount ?? (usage === null ? null : charge), currency, tokens, isPriced };
}

const NOTHING_USED = readUsage(null);

function readGivenUsage(call: CheckRequest): UsageCounts | null {
  const { usage, input_tokens, max_output_tokens } = call;
  const counted = input_tokens !== null || max_output_tokens !== null;
  if (usage !== null && counted) {
    throw new Refusal(
      'bad_request',
      'usage stands beside input_tokens or max_output_tokens',
      'give one of the two',
    );
  }
  if (usage === null && !counted) return null;
  const given = usage ?? {
    input_tokens: input_tokens ?? 0,
    output_tokens: max_output_tokens ?? 0,
  };
  const counts = readUsage(given);
  const contradiction = findUsageContradiction(given, counts);
  if (contradiction === null) return counts;
  throw new Refusal('bad_request', contradiction, 'correct the counts that are named');
}

function rate(
  call: CheckRequest,
  usage: UsageCounts,
  of: { readonly tenant: Tenant; readonly catalog: PriceCatalog; readonly now: InstantMs },
): { readonly charge: Pico | null; readonly currency: string } {
  const { tenant, catalog, now } = of;
  const { provider, model, service_tier: serviceTier } = call;
  if (model === null) {
    const currency = assignedBook(tenant, catalog, now)?.currency ?? DEFAULT_CURRENCY;
    return { charge: null, currency };
  }
  return ratePart(
    {
      occurredAt: now,
      provider,
      requestedModel: model,
      executedModel: model,
      serviceTier,
      gatewayCache: 'none',
      layers: null,
    },
    {
      memberId: '',
      tags: {
        tenantId: tenant.tenantId,
        userId: null,
        feature: null,
        agentRunId: null,
        promptVersion: null,
      },
      status: 'ok',
      usage,
      callShare: WHOLE_CALL,
      contextTokens: totalInput(usage),
      callUsage: null,
      measured: true,
    },
    { catalog, bookOf: (_, at) => assignedBook(tenant, catalog, at) },
  );
}
