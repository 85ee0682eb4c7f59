import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DifferenceRow } from '../../../src/ledger/corrections/bulk-answer.ts';
import { tenantSides } from '../../../src/ledger/corrections/tenant-sides.ts';
import { exactPico, formatPico } from '../../../src/money.ts';

const amount = fc.option(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map(formatPico));
const currency = fc.constantFrom('USD', 'EUR');
const row: fc.Arbitrary<DifferenceRow> = fc.record({
  tenant_id: fc.constantFrom('acme', 'birch', 'fern'),
  requested_model: fc.constantFrom('a', 'b'),
  currency_before: currency,
  currency,
  entries: fc.nat(100),
  released: fc.constant(0),
  charge_before: amount,
  charge_after: amount,
  cost_before: fc.constant(null),
  cost_after: fc.constant(null),
});

const sum = (amounts: readonly (string | null)[]) =>
  amounts.reduce((total, one) => total + exactPico(one ?? '0'), 0n);

it('the sides of all tenants come to what the rows come to, in each currency, and who loses most comes first', () => {
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const sides = tenantSides(rows);
      for (const of of ['USD', 'EUR']) {
        const own = sides.filter((side) => side.currency === of);
        expect(sum(own.map((side) => side.charge_before))).toBe(
          sum(rows.filter((one) => one.currency_before === of).map((one) => one.charge_before)),
        );
        expect(sum(own.map((side) => side.charge_after))).toBe(
          sum(rows.filter((one) => one.currency === of).map((one) => one.charge_after)),
        );
        expect(new Set(own.map((side) => side.tenant_id)).size).toBe(own.length);
      }
      const changes = sides.map(({ change }) => exactPico(change));
      expect(changes).toEqual([...changes].sort((a, b) => (a === b ? 0 : a > b ? -1 : 1)));
      for (const side of sides) {
        expect(exactPico(side.change)).toBe(sum([side.charge_after]) - sum([side.charge_before]));
      }
    }),
  );
});

it('a side counts the entries of all its models, and sides of one change stand by the names of tenants', () => {
  const of = (tenant_id: string, charge_after: string): DifferenceRow => ({
    ...{ tenant_id, requested_model: 'a', currency_before: 'USD', currency: 'USD', entries: 2 },
    ...{ released: 0, charge_before: '1', charge_after, cost_before: null, cost_after: null },
  });
  const rows = [
    of('fern', '2'),
    of('acme', '2'),
    of('elm', '0'),
    of('birch', '2'),
    of('birch', '4'),
  ];
  for (const each of [rows, [...rows].reverse()]) {
    const seen = tenantSides(each).map((side) => [side.tenant_id, side.change, side.entries]);
    expect(seen).toEqual([
      ['birch', '4', 4],
      ['acme', '1', 2],
      ['fern', '1', 2],
      ['elm', '-1', 2],
    ]);
  }
});
