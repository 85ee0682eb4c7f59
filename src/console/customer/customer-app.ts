import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import { KeyDoor } from '../../api/bearer.ts';
import { behindWall } from '../../database/behind-wall.ts';
import type { Key } from '../../keys/key.ts';
import { Refusal } from '../../refusal.ts';
import { consoleHeaders } from '../console-headers.ts';
import type { ConsoleOptions } from '../console-options.ts';
import { addressOf, type ConsoleContext, visitorOf } from '../door.ts';
import { localeOf } from '../view/amounts.ts';
import { renderCustomerPage } from '../view/layout.ts';
import { customerBody } from './customer-page.ts';
import { type DocumentForm, statementDocument } from './statement-document.ts';

/** The word that stands in an address where the session says whose page it is. */
const MINE = 'mine';

/** The customer's page: behind a link that ends, or for whoever signed in with the key of a tenant. */
export function addCustomer(app: Hono<{ Bindings: HttpBindings }>, options: ConsoleOptions): void {
  const { parts, frameOrigins } = options;
  const keys = new KeyDoor(parts);
  app.get('/usage/:door', async (c) => {
    const key = await customerKey(parts, keys, c);
    if (key instanceof Response) return key;
    const at = `/usage/${c.req.param('door')}`;
    const body = await customerBody({
      ...{ parts: walled(parts, key.tenantId), tenantId: key.tenantId, at },
      endsAt: key.role === 'link' ? key.expiresAt : null,
      locale: localeOf(c.req.header('accept-language') ?? null),
      query: new URL(c.req.url).searchParams,
    });
    const page = renderCustomerPage(`Usage of ${key.tenantId}`, html`${body}`);
    return c.html(String(await page), 200, consoleHeaders(frameOrigins));
  });
  app.get('/usage/:door/statements/:month/:form{html|pdf|csv|proof}', async (c) => {
    const key = await customerKey(parts, keys, c);
    if (key instanceof Response) return key;
    const { month, form } = c.req.param();
    const asked = { tenantId: key.tenantId, month, form: form as DocumentForm };
    return statementDocument(options, walled(parts, key.tenantId), asked);
  });
}

type TenantsKey = Key & { readonly tenantId: string };

/** The key of the tenant whose page it is, by the link in the address or by the session; or the way to the sign-in. */
async function customerKey(
  parts: ApiParts,
  keys: KeyDoor,
  c: ConsoleContext,
): Promise<TenantsKey | Response> {
  const door = c.req.param('door') ?? '';
  if (door === MINE) {
    const key = (await visitorOf(parts, c))?.key ?? null;
    if (key === null) return c.redirect('/console/sign-in', 303);
    if (isOfTenant(key)) return key;
    return c.redirect('/console', 303);
  }
  const bearer = await keys.letIn(`Bearer ${door}`, addressOf(c));
  // A key of the API has no place in an address, where histories keep it.
  if (bearer.kind === 'known' && bearer.key.role === 'link' && isOfTenant(bearer.key))
    return bearer.key;
  throw new Refusal(
    'not_found',
    'this link is not known, or it has ended',
    'ask whoever gave it to you for a new one',
  );
}

function isOfTenant(key: Key): key is TenantsKey {
  return key.tenantId !== null;
}

/** What a tenant asks is read through the wall: its own rows, and nothing of cost. */
function walled(parts: ApiParts, tenantId: string): ApiParts {
  return { ...parts, view: behindWall(parts.database, tenantId) };
}
