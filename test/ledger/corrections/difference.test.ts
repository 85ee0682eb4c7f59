import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BulkDifference,
  keepsPrice,
  losesPrice,
} from '../../../src/ledger/corrections/difference.ts';
import type { NewEntry } from '../../../src/ledger/entries/entry.ts';
import { ENTRY_WITHOUT_A_CALL } from '../../../src/ledger/entries/entry.ts';
import type { MadeCorrection } from '../../../src/ledger/reversals/made-correction.ts';
import { exactPico } from '../../../src/money.ts';
import { cases } from '../../support/cases.ts';

const ENTRY: NewEntry = {
  ...ENTRY_WITHOUT_A_CALL,
  ...{ tenantId: 'acme', source: 'app', eventId: 'e1', revision: 0, kind: 'usage' },
  ...{ outcome: 'charged', occurredAt: 0, periodStart: '2026-10-01', late: false, due: true },
  ...{ operation: 'chat', requestedModel: 'large', executedModel: 'large' },
  ...{ charge: 4_000_000_000_000n, cost: 1_000_000_000_000n, currency: 'USD' },
  ...{ furtherTags: {}, reason: null, actor: null, eventDigest: Buffer.alloc(32) },
};

/** A correction of one entry into another; of null it is taken back and nothing stands in its place. */
function made(
  before: Partial<NewEntry>,
  after: Partial<NewEntry> | null,
  paysNow: string | null = null,
): MadeCorrection {
  const entry = { ...ENTRY, ...before };
  const replacement = after === null ? null : { ...entry, ...after };
  return { entry: { ...entry, entryId: 1n }, reversal: entry, replacement, paysNow };
}

function answerTo(...corrections: readonly MadeCorrection[]) {
  const difference = new BulkDifference();
  for (const each of corrections) difference.add(each);
  return difference.answer();
}

describe('a correction loses a price', () => {
  it('where the charge or the cost was known and would not be', () => {
    expect(losesPrice(made({}, { charge: null }))).toBe(true);
    expect(losesPrice(made({}, { cost: null }))).toBe(true);
    expect(losesPrice(made({}, { charge: 0n, cost: 0n }))).toBe(false);
  });

  it('and not where there was none, or where nothing stands in its place', () => {
    expect(losesPrice(made({ charge: null }, {}))).toBe(false);
    expect(losesPrice(made({ cost: null }, {}))).toBe(false);
    expect(losesPrice(made({}, null))).toBe(false);
  });
});

describe('a correction keeps a price', () => {
  it('where nothing of it would be another', () => {
    expect(keepsPrice(made({}, { userId: 'ada' }))).toBe(true);
    expect(keepsPrice(made({}, null))).toBe(false);
  });

  it.each<[string, Partial<NewEntry>]>([
    ['charge', { charge: 5n }],
    ['cost', { cost: 5n }],
    ['cost as requested', { requestedCost: 5n }],
    ['outcome', { outcome: 'unrated' }],
    ['currency', { currency: 'EUR' }],
  ])('and not where its %s would be', (_what, after) => {
    expect(keepsPrice(made({}, after))).toBe(false);
  });
});

describe('corrections of many entries', () => {
  it('are added up for each model of each tenant, before and after', () => {
    const answer = answerTo(
      made({}, { charge: 3_000_000_000_000n }),
      made({}, { cost: 500_000_000_000n }),
      made({ tenantId: 'birch' }, null),
      made({ requestedModel: 'small' }, {}),
    );
    const row = { currency_before: 'USD', currency: 'USD', released: 0 };
    expect(answer.rows).toEqual([
      {
        ...{ ...row, tenant_id: 'acme', requested_model: 'large', entries: 2 },
        ...{ charge_before: '8', charge_after: '7', cost_before: '2', cost_after: '1.5' },
      },
      {
        ...{ ...row, tenant_id: 'acme', requested_model: 'small', entries: 1 },
        ...{ charge_before: '4', charge_after: '4', cost_before: '1', cost_after: '1' },
      },
      {
        ...{ ...row, tenant_id: 'birch', requested_model: 'large', entries: 1 },
        ...{ charge_before: '4', charge_after: '0', cost_before: '1', cost_after: '0' },
      },
    ]);
    expect(answer.totals).toEqual([
      {
        ...{ currency: 'USD', entries: 4 },
        ...{ charge_before: '16', charge_after: '11', cost_before: '4', cost_after: '2.5' },
      },
    ]);
  });

  it('say what had no price and has one, apart from what had one before', () => {
    const { rows, totals } = answerTo(
      made({ outcome: 'unrated', charge: null, cost: null }, { ...ENTRY }),
      made({ outcome: 'unrated', charge: null, cost: null }, { cost: 1_000_000_000_000n }),
      made({}, {}),
    );
    // Each is a row of its own, in the order of what is known of it.
    const seen = rows.map((row) => [row.released, row.charge_before, row.charge_after]);
    expect(seen).toEqual([
      [0, null, null],
      [1, null, '4'],
      [0, '4', '4'],
    ]);
    // What has no price is not charged; a sum with an unknown cost in it is unknown.
    expect(totals).toEqual([
      {
        ...{ currency: 'USD', entries: 3, charge_before: '4', charge_after: '8' },
        ...{ cost_before: null, cost_after: '3' },
      },
    ]);
  });

  it('count what was before in its own currency, and what is after in its own', () => {
    const { rows, totals } = answerTo(
      made({}, { currency: 'EUR', charge: 3_000_000_000_000n, cost: 2_000_000_000_000n }),
      made({}, {}),
    );
    expect(rows.map((row) => [row.currency_before, row.currency])).toEqual([
      ['USD', 'EUR'],
      ['USD', 'USD'],
    ]);
    expect(totals).toEqual([
      {
        ...{ currency: 'EUR', entries: 0 },
        ...{ charge_before: '0', charge_after: '3', cost_before: '0', cost_after: '2' },
      },
      {
        ...{ currency: 'USD', entries: 2 },
        ...{ charge_before: '8', charge_after: '4', cost_before: '2', cost_after: '1' },
      },
    ]);
  });

  it('name what stays as it is by tenant and model, and change nothing by it', () => {
    const difference = new BulkDifference();
    const [large, small] = [made({}, {}), made({ requestedModel: 'small' }, {})];
    for (const each of [small, large, large]) difference.addUnrated(each);
    difference.addLosing(small);
    difference.add(made({ tenantId: 'birch' }, {}, 'EUR'));
    const { rows, totals, unrated, losing, in_other_currency } = difference.answer();
    expect([rows, totals]).toEqual([[], []]);
    expect(unrated).toEqual([
      { tenant_id: 'acme', requested_model: 'large', entries: 2 },
      { tenant_id: 'acme', requested_model: 'small', entries: 1 },
    ]);
    expect(losing).toEqual([{ tenant_id: 'acme', requested_model: 'small', entries: 1 }]);
    expect(in_other_currency).toEqual([
      { tenant_id: 'birch', requested_model: 'large', entries: 1 },
    ]);
  });

  it('come to the same totals in whatever order they are made', () => {
    const amount = fc.option(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }));
    const correction = fc
      .record({ tenantId: fc.constantFrom('acme', 'birch'), charge: amount, cost: amount })
      .chain((before) => fc.record({ charge: amount }).map((after) => made(before, after)));
    fc.assert(
      fc.property(fc.array(correction, { minLength: 1 }), (corrections) => {
        const answer = answerTo(...corrections);
        expect(answerTo(...[...corrections].reverse())).toEqual(answer);
        const charges = corrections.map(({ replacement }) => replacement?.charge ?? 0n);
        const total = charges.reduce((sum, charge) => sum + charge, 0n);
        expect(exactPico(answer.totals[0]?.charge_after ?? '')).toBe(total);
      }),
      cases(100),
    );
  });
});
