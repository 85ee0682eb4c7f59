import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import { KeyDoor } from '../../api/bearer.ts';
import type { InstantMs } from '../../clock.ts';
import { behindWall } from '../../database/behind-wall.ts';
import { Refusal } from '../../refusal.ts';
import { consoleHeaders } from '../console-headers.ts';
import type { ConsoleOptions } from '../console-options.ts';
import { addressOf, type ConsoleContext, visitorOf } from '../door.ts';
import { localeOf } from '../view/amounts.ts';
import { renderCustomerPage } from '../view/layout.ts';
import { customerBody } from './customer-page.ts';
import { allStatements, type DocumentForm, statementDocument } from './statement-document.ts';

/** The word that stands in an address where the session says whose page it is. */
const MINE = 'mine';

/**
 * Adds the customer's page: behind a link that ends, or for whoever signed in with the key of a
 * tenant.
 */
export function addCustomer(app: Hono<{ Bindings: HttpBindings }>, options: ConsoleOptions): void {
  const { parts, frameOrigins } = options;
  const keys = new KeyDoor(parts, null);
  app.get('/usage/:door', async (c) => {
    const customer = await customerOf(options, keys, c);
    if (customer instanceof Response) return customer;
    const at = `/usage/${c.req.param('door')}`;
    const body = await customerBody({
      parts: walled(parts, customer.tenantId),
      tenantId: customer.tenantId,
      at,
      endsAt: customer.endsAt,
      locale: localeOf(c.req.header('accept-language') ?? null),
      query: new URL(c.req.url).searchParams,
    });
    const page = renderCustomerPage(`Usage of ${customer.tenantId}`, html`${body}`);
    return c.html(String(await page), 200, consoleHeaders(frameOrigins));
  });
  app.get('/usage/:door/statements/all.csv', async (c) => {
    const customer = await customerOf(options, keys, c);
    if (customer instanceof Response) return customer;
    return allStatements(walled(parts, customer.tenantId), customer.tenantId);
  });
  app.get('/usage/:door/statements/:month/:form{html|pdf|csv|proof}', async (c) => {
    const customer = await customerOf(options, keys, c);
    if (customer instanceof Response) return customer;
    const { month, form } = c.req.param();
    const asked = { tenantId: customer.tenantId, month, form: form as DocumentForm };
    return statementDocument(options, walled(parts, customer.tenantId), asked);
  });
}

interface Customer {
  readonly tenantId: string;
  /** When the link ends; null for whoever signed in. */
  readonly endsAt: InstantMs | null;
}

/**
 * Returns the customer whose page it is, by the link in the address or by the session; or the way
 * to the sign-in.
 */
async function customerOf(
  options: ConsoleOptions,
  keys: KeyDoor,
  c: ConsoleContext,
): Promise<Customer | Response> {
  const door = c.req.param('door') ?? '';
  if (door === MINE) {
    const visitor = await visitorOf(options, c);
    if (visitor === null) return c.redirect('/console/sign-in', 303);
    const { tenantId } = visitor.key;
    return tenantId === null ? c.redirect('/console', 303) : { tenantId, endsAt: null };
  }
  const bearer = await keys.letIn(`Bearer ${door}`, addressOf(c));
  // A key of the API has no place in an address, where histories keep it.
  if (bearer.kind === 'known' && bearer.key.role === 'link' && bearer.key.tenantId !== null) {
    return { tenantId: bearer.key.tenantId, endsAt: bearer.key.expiresAt };
  }
  throw new Refusal(
    'not_found',
    'this link is not known, or it has ended',
    'ask whoever gave it to you for a new one',
  );
}

/** What a tenant asks is read through the wall: its own rows, and nothing of cost. */
function walled(parts: ApiParts, tenantId: string): ApiParts {
  return { ...parts, view: behindWall(parts.database, tenantId) };
}
