import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import type { Database } from '../../../src/database/database.ts';
import { nameMissing } from '../../../src/month/completeness/name-missing.ts';
import { raiseAlert } from '../../../src/push/alert-store.ts';
import { resolveAlert } from '../../../src/stripe/alerts/resolve-alert.ts';
import type { InvoiceRow } from '../../../src/stripe/invoices/invoice-store.ts';
import { saveFinalized } from '../../../src/stripe/invoices/invoice-store.ts';
import { freshDatabase } from '../../support/database.ts';
import { importBooks, makeTenant } from '../../support/ledger.ts';

const NOW = parseInstant('2026-11-02T00:00:00Z');
const PERIOD = { tenantId: 'acme', periodStart: '2026-10-01' };

async function ready(
  invoices: readonly { readonly quantity: bigint; readonly state?: InvoiceRow['state'] }[],
) {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  for (const [index, { quantity, state = 'finalized' }] of invoices.entries()) {
    const of = { ...PERIOD, invoiceId: `in_${index}`, stripeCustomer: 'cus_acme', state };
    await saveFinalized(
      database,
      { ...of, quantity, amount: quantity / 10_000n, hostedUrl: null },
      NOW,
    );
  }
  return database;
}

function raise(database: Database, kind: 'invoice_differs' | 'invoice_void') {
  return raiseAlert(database, { ...PERIOD, kind, subject: 'in_0', detail: 'as it is' }, NOW);
}

async function kindsOf(database: Database) {
  const parts = { database, clock: () => NOW };
  const missing = await nameMissing(parts, { month: '2026-10', tenant_id: null });
  return missing.map(({ kind, tenant_id, period_start }) => [kind, tenant_id, period_start]);
}

it('a period that two invoices bill is named as that, until a person settled it', async () => {
  const database = await ready([{ quantity: 50_000n }, { quantity: 50_000n }]);
  await raise(database, 'invoice_differs');
  expect(await kindsOf(database)).toEqual([['on_two_invoices', 'acme', '2026-10-01']]);
  const parts = { database, clock: () => NOW };
  await resolveAlert(parts, { alert_id: '1', reason: 'in_1 was credited', actor: 'ann' });
  expect(await kindsOf(database)).toEqual([]);
});

it('an empty invoice beside the one that bills makes no two of it', async () => {
  const database = await ready([{ quantity: 50_000n }, { quantity: 0n }]);
  await raise(database, 'invoice_differs');
  expect(await kindsOf(database)).toEqual([['alert', 'acme', '2026-10-01']]);
});

it('a voided invoice is not counted beside the one that replaces it', async () => {
  const database = await ready([{ quantity: 50_000n }, { quantity: 50_000n, state: 'void' }]);
  await raise(database, 'invoice_differs');
  expect(await kindsOf(database)).toEqual([['alert', 'acme', '2026-10-01']]);
});

it('a period whose invoice was voided is named as that', async () => {
  const database = await ready([{ quantity: 50_000n, state: 'void' }]);
  await raise(database, 'invoice_void');
  expect(await kindsOf(database)).toEqual([['on_voided_invoice', 'acme', '2026-10-01']]);
});
