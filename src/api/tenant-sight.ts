import { behindWall } from '../database/behind-wall.ts';
import type { JsonObject } from '../events/foreign/foreign-value.ts';
import { Refusal } from '../refusal.ts';
import type { Asked, Route } from './route.ts';

/** What a tenant never sees, by the names of fields: cost, margin, and how a call was served. */
const HIDDEN_FROM_TENANTS: ReadonlySet<string> = new Set([
  ...[
    'cost',
    'known_cost',
    'known_cost_share',
    'entries_without_cost',
    'cost_book',
    'cost_version',
  ],
  ...['margin', 'known_margin', 'routing_gain', 'calls_without_cost_rate', 'coverage'],
  ...['cost_before_answer', 'share_before_answer', 'cost_failed', 'cost_superseded'],
  ...['cost_repeated', 'cost_per_success', 'reported_cost', 'reported_cost_currency'],
  ...['reported_cost_source', 'provider', 'executed_model', 'response_id', 'call_id', 'error_type'],
  ...['exchange_rates'],
  ...['reason', 'actor', 'tags', 'told', 'invoice_id'],
]);

/** Dimensions and filters of the same. */
const HIDDEN_DIMENSIONS = ['provider', 'executed_model'];

/**
 * Returns the request of a tenant's key: about its own tenant, whatever is asked, and read through
 * the wall. Every other name is refused alike, whether there is such a tenant or not.
 */
export function askedByTenant(route: Route, asked: Asked, tenantId: string): Asked {
  const { given, parts } = asked;
  const view = behindWall(parts.database, tenantId);
  const by = given['by'];
  const hidden = [by].flat().find((name) => HIDDEN_DIMENSIONS.includes(String(name)));
  if (hidden !== undefined) {
    throw new Refusal(
      'not_permitted',
      `a tenant's key does not see the dimension ${hidden}`,
      'leave it out of by',
    );
  }
  if (!Object.hasOwn(route.fields, 'tenant_id')) return { ...asked, parts: { ...parts, view } };
  const named = given['tenant_id'] ?? tenantId;
  if (named !== tenantId) {
    throw new Refusal(
      'not_permitted',
      `this key reads the usage of tenant "${tenantId}" alone`,
      'ask for that tenant, or leave the tenant out',
    );
  }
  return { ...asked, given: { ...given, tenant_id: tenantId }, parts: { ...parts, view } };
}

/** Returns the schema of an answer in which nothing is required that a tenant never sees, at every depth. */
export function schemaShownToTenants(schema: JsonObject): JsonObject {
  return eased(schema) as JsonObject;
}

function eased(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(eased);
  if (typeof part !== 'object' || part === null) return part;
  const of = Object.fromEntries(
    Object.entries(part as JsonObject).map(([name, value]) => [name, eased(value)]),
  );
  const { properties, required } = of;
  if (typeof properties !== 'object' || properties === null) return of;
  const noted = Object.entries(properties as JsonObject).map(([name, property]) => [
    name,
    HIDDEN_FROM_TENANTS.has(name)
      ? { ...(property as JsonObject), description: "A tenant's key is answered without it." }
      : property,
  ]);
  const always = Array.isArray(required)
    ? required.filter((name) => !HIDDEN_FROM_TENANTS.has(String(name)))
    : [];
  return { ...of, properties: Object.fromEntries(noted), required: always };
}

/** Returns an answer without the fields that a tenant never sees, at every depth. */
export function shownToTenant(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(shownToTenant);
  if (typeof answer !== 'object' || answer === null) return answer;
  const shown = Object.entries(answer as JsonObject)
    .filter(([name]) => !HIDDEN_FROM_TENANTS.has(name))
    .map(([name, value]) => [name, shownToTenant(value)]);
  return Object.fromEntries(shown);
}
