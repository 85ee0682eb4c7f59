import { html } from 'hono/html';
import { keyIdIn } from '../../keys/key.ts';
import type { CreatedKeyAnswer, ListedKey } from '../../keys/key-answer.ts';
import { listKeys } from '../../keys/list-keys.ts';
import { Refusal } from '../../refusal.ts';
import { advise } from '../../remedy.ts';
import { listTenants } from '../../tenants/list-tenants.ts';
import type { SetTenantAnswer } from '../../tenants/tenant-answer.ts';
import { linkAddress } from '../customer/link-address.ts';
import { withPlaces } from '../pages/operation-places.ts';
import type { Html } from '../view/amounts.ts';
import { chip, tenantLink } from '../view/table.ts';
import type { Act, ActAsked } from './act.ts';
import { settingsOf } from './difference.ts';
import { firstRows } from './first-rows.ts';

const tenantPath = ({ tenant_id = '' }: Readonly<Record<string, string>>) =>
  `/console/tenants/${encodeURIComponent(tenant_id)}`;

/** What stands on its statements, which a dash takes away. */
const ON_STATEMENTS = ['name', 'address', 'contact'] as const;
const NOTHING_SAID = '-';

/** What the form sets, as the preview compares it. */
const TENANT_SETTINGS = [
  ...['mode', 'time_zone', 'anchor_day', 'price_book', 'stripe_customer'],
  ...ON_STATEMENTS,
];

const setTenant: Act = {
  name: 'set-tenant',
  title: 'Make or change a tenant',
  words:
    'What is left empty stays as it is; a dash clears what stands on its statements. A tenant in shadow is metered and never billed.',
  route: 'PUT /v1/tenants/{tenant}',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    { name: 'mode', label: 'Mode', choices: ['', 'shadow', 'live'] },
    { name: 'time_zone', label: 'Billing time zone', hint: 'such as Europe/Berlin' },
    { name: 'anchor_day', label: 'Anchor day', kind: 'number' },
    { name: 'price_book', label: 'Price book' },
    { name: 'stripe_customer', label: 'Stripe customer', hint: 'cus_…' },
    { name: 'name', label: 'Name on statements', hint: 'in place of its id' },
    { name: 'contact', label: 'Contact on statements' },
    { name: 'address', label: 'Address on statements', kind: 'lines' },
  ],
  read: ({ anchor_day: day, ...said }) => ({
    ...said,
    ...(day === undefined ? {} : { anchor_day: /^\d{1,9}$/.test(day) ? Number(day) : day }),
    ...Object.fromEntries(
      ON_STATEMENTS.flatMap((name) => (said[name] === NOTHING_SAID ? [[name, '']] : [])),
    ),
  }),
  async preview({ parts, said }) {
    const tenants = await listTenants(parts);
    const now = tenants.find(({ tenant_id: id }) => id === said['tenant_id']);
    const rows = TENANT_SETTINGS.flatMap((name) => {
      const was = now === undefined ? null : String(now[name as keyof typeof now] ?? '—');
      return said[name] === undefined || said[name] === was
        ? []
        : [{ name: name.replace('_', ' '), was, becomes: said[name] ?? '' }];
    });
    const isNew = now === undefined ? html`<p>${chip('new', 'good')} It is made by this.</p>` : '';
    const empty =
      now?.registered === false ? 'Nothing but this: it is registered.' : 'Nothing changes.';
    return html`${isNew}${settingsOf(rows, empty)}`;
  },
  done(answer) {
    const { tenant_id, to_rerate: months, left_owed, decided_by_mode } = answer as SetTenantAnswer;
    const named = [...left_owed, ...decided_by_mode].map(
      ({ detail, remedy }) => html`<p>${withPlaces(detail, remedy)}.</p>`,
    );
    return html`<p>${tenantLink(tenant_id)} is set.${months.length === 0 ? '' : ` ${months.join(', ')} stand in another currency until they are re-rated.`}</p>${named}`;
  },
  back: tenantPath,
};

const createLink: Act = {
  name: 'create-link',
  title: 'Link for the customer',
  words: "Whoever has the link sees this tenant's page until it ends or is revoked.",
  route: 'POST /v1/keys',
  fields: [
    { name: 'tenant_id', label: 'Tenant', isRequired: true },
    {
      name: 'expires_in_days',
      label: 'Days',
      kind: 'number',
      isRequired: true,
      hint: 'such as 30',
    },
  ],
  read: ({ tenant_id, expires_in_days: days }) => ({
    role: 'link',
    tenant_id,
    expires_in_days: Number(days),
  }),
  preview: async ({ said }) =>
    html`<p>A link to the page of ${tenantLink(said['tenant_id'] ?? '')} that ends after <b>${said['expires_in_days']}</b> days. It is shown once.</p>`,
  done(answer, { publicUrl }) {
    const { key, expires_at, key_id } = answer as CreatedKeyAnswer;
    const path = linkAddress(key, publicUrl);
    return html`<p>Give this address to the customer. It is shown this once, and ends ${expires_at ?? 'never'}; revoke it as key ${key_id}.</p><p><a class="hash" href="${path}">${path}</a></p>`;
  },
  back: tenantPath,
};

const createKey: Act = {
  name: 'create-key',
  title: 'Keys and links',
  words: 'A key is shown once, and its hash is kept.',
  route: 'POST /v1/keys',
  fields: [
    { name: 'role', label: 'Role', choices: ['reader', 'admin', 'tenant', 'ingest'] },
    { name: 'name', label: 'Name', isRequired: true, hint: 'under which its acts are recorded' },
    { name: 'tenant_id', label: 'Tenant', hint: 'of a tenant’s key' },
    { name: 'expires_in_days', label: 'Days', kind: 'number', hint: 'never where it is empty' },
  ],
  preview: keysOf,
  done(answer) {
    const { key, key_id } = answer as CreatedKeyAnswer;
    return html`<p>Key ${key_id}, shown this once:</p><pre>${key}</pre>`;
  },
  back: () => '/console/act/revoke-key',
};

const revokeKey: Act = {
  name: 'revoke-key',
  title: 'Revoke a key or a link',
  words: 'It is refused from this instant on, everywhere.',
  route: 'DELETE /v1/keys/{key}',
  fields: [{ name: 'key_id', label: 'Key', isRequired: true, hint: 'its id in the list' }],
  async preview(asked) {
    const given = asked.said['key_id'] ?? '';
    const key_id = keyIdIn(given) ?? given;
    const keys = await listKeys(asked.parts);
    if (keys.some((key) => key.key_id === key_id)) {
      return keysOf({ ...asked, said: { ...asked.said, key_id } });
    }
    throw new Refusal(
      'not_found',
      `there is no key with the id "${key_id}"`,
      advise`see ${{ operation: 'key list' }}`,
    );
  },
  done: (answer) => html`<p>Key ${(answer as ListedKey).key_id} is revoked.</p>`,
  back: () => '/console/acts',
};

async function keysOf({ parts, said }: ActAsked): Promise<Html> {
  const keys = (await listKeys(parts)).filter(({ key_id: id }) => (said['key_id'] ?? id) === id);
  return firstRows({
    caption: 'Keys and links',
    rows: keys.toReversed(),
    empty: 'There is no such key.',
    columns: [
      { title: 'Key', cell: (row: ListedKey) => html`<span class="hash">${row.key_id}</span>` },
      { title: 'Name', cell: (row: ListedKey) => html`<bdi>${row.name}</bdi>` },
      { title: 'Role', cell: (row: ListedKey) => row.role },
      { title: 'Tenant', cell: (row: ListedKey) => row.tenant_id ?? '—' },
      {
        title: 'State',
        cell: (row: ListedKey) => chip(row.state, row.state === 'valid' ? 'good' : 'plain'),
      },
      { title: 'Ends', cell: (row: ListedKey) => row.expires_at?.slice(0, 10) ?? 'never' },
      {
        title: 'Last used',
        cell: (row: ListedKey) => row.last_used_at?.slice(0, 16).replace('T', ' ') ?? 'never',
      },
    ],
  });
}

export const SETTING_ACTS: readonly Act[] = [setTenant, createLink, createKey, revokeKey];
