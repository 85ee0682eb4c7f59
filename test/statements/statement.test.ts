import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/ledger/closes/manifest.ts';
import { buildStatement } from '../../src/statements/statement.ts';
import type { StatementDocument } from '../../src/statements/statement-answer.ts';
import { renderStatementCsv } from '../../src/statements/statement-csv.ts';
import { withEntries } from '../../src/statements/statement-document.ts';
import { renderStatementText } from '../../src/statements/statement-text.ts';
import { viewStatement } from '../../src/statements/statement-view.ts';
import { NOTHING_BESIDE } from './sample.ts';

const LINE = {
  model: 'gpt-4o',
  service_tier: 'standard',
  meter: 'input',
  late: false,
  quantity: '1234567',
  rate: '3',
  exact: '3.703701',
  amount: '3.70',
} as const;

/** 3.703701 + 1.2 + 0.030000 late = 4.933701: billable 4.933701, total 4.93 = 3.70 + 1.20 + 0.03. */
const MANIFEST: Manifest = {
  format: 'spanledger-manifest-1',
  tenant_id: 'acme',
  period_start: '2026-10-01',
  starts_at: '2026-09-30T22:00:00.000Z',
  ends_at: '2026-10-31T23:00:00.000Z',
  time_zone: 'Europe/Berlin',
  currency: 'USD',
  entries: 1050,
  outcomes: { charged: 1001, failed: 47, cancelled: 2 },
  late_entries: 3,
  corrections: 0,
  tokens: { input: '1244567', cache_read: '0', cache_write: '0', output: '100000' },
  books: [{ book: 'standard', version: '2026-01-01T00:00:00.000Z', caching: 'work_done' }],
  lines: [
    LINE,
    { ...LINE, meter: 'output', quantity: '100000', rate: '12', exact: '1.2', amount: '1.20' },
    { ...LINE, late: true, quantity: '10000', exact: '0.03', amount: '0.03' },
  ],
  charge_exact: '4.933701',
  carried_in: '0',
  billable: '4.933701',
  carried_out: '0',
  charge_total: '4.93',
  rounding: 'billable amount rounded once, half up, to 2 decimals',
};

const FROZEN = { manifestHash: 'f'.repeat(64), closedAt: '2026-11-01T02:00:00.000Z' };

const STATEMENT = stated(MANIFEST);

const NOT_DUE = stated({
  ...MANIFEST,
  not_due: [
    {
      ...{ currency: 'USD', exact: '0.03', total: '0.03' },
      lines: [{ ...LINE, late: true, quantity: '10000', exact: '0.03', amount: '0.03' }],
    },
  ],
});

function stated(
  manifest: Manifest,
  {
    mode = 'live',
    cached = 0,
  }: { readonly mode?: 'shadow' | 'live'; readonly cached?: number } = {},
): StatementDocument {
  const statement = buildStatement({ manifest, frozen: FROZEN, mode, preview: null });
  const exact = manifest.charge_exact;
  return withEntries(statement, {
    ...NOTHING_BESIDE,
    cached,
    daily: [{ day: '2026-10-05', model: 'gpt-4o', late: false, charge: exact }],
    features: [{ name: null, calls: 1050, exact }],
    users: [{ name: null, calls: 1050, exact }],
  });
}

describe('a statement', () => {
  it('says that nothing is due for what belongs to a month in shadow, apart from every sum', () => {
    expect(NOT_DUE.total).toBe(STATEMENT.total);
    expect(NOT_DUE.notes).toContain(
      '0.03 USD of late usage and corrections belong to a period that was closed in shadow mode: nothing is due for that, and it is listed apart.',
    );
    expect(renderStatementText(NOT_DUE)).toContain('Not due (0.03 USD)\ngpt-4o');
    const { sections } = viewStatement(NOT_DUE, null);
    expect(sections.at(-1)).toMatchObject({
      title: 'Not due',
      groups: [{ model: 'gpt-4o', lines: [{ amount: '$0.03' }] }],
    });
    const row = renderStatementCsv([NOT_DUE])
      .split('\r\n')
      .find((one) => one.includes(',not_due,'));
    // A line that is not due has no amount, so that the amounts of a file still add up.
    expect(row).toContain(',not_due,gpt-4o,standard,input,10000,3,million_tokens,0.03,,USD,');
  });

  it('lists late usage apart, and its lines add up to the total', () => {
    expect(STATEMENT.lines).toHaveLength(2);
    expect(STATEMENT.late_lines).toHaveLength(1);
    // 370 + 120 + 3 = 493 cents
    const cents = [...STATEMENT.lines, ...STATEMENT.late_lines].map((line) =>
      Number(line.amount.replace('.', '')),
    );
    expect(cents.reduce((a, b) => a + b)).toBe(493);
    expect(STATEMENT.total).toBe('4.93');
  });

  it('says how many calls were not charged, and how cached input is charged', () => {
    expect(STATEMENT.notes.join(' ')).toContain(
      '47 calls failed and 2 calls were cancelled: none of them is charged.',
    );
    expect(STATEMENT.notes.join(' ')).toContain('cached input is charged at the input rate');
  });

  it('says where the rates of a cache are passed through, and that its answers are not charged then', () => {
    const [book] = MANIFEST.books.map((of) => ({ ...of, caching: 'pass_through' as const }));
    const passed = stated({ ...MANIFEST, books: book === undefined ? [] : [book] }, { cached: 2 });
    expect(passed.notes).toContain(
      'Price book standard of 2026-01-01: cached input is charged at the cache rates (passed through).',
    );
    expect(passed.notes).toContain(
      '2 calls were answered from a cache, without a new call to the provider: not charged.',
    );
    const { notes } = viewStatement(passed, null);
    expect(notes.join(' ')).toContain('at the cache rates (passed through)');
  });

  it('of a month in shadow says before its amount that nothing is due', () => {
    const shadow = stated(MANIFEST, { mode: 'shadow' });
    expect(shadow).toMatchObject({ mode: 'shadow', total: '4.93', due: '0.00' });
    expect(shadow.notes).toContain(
      'This period was closed in shadow mode: it is metered, and nothing is due.',
    );
    expect(viewStatement(shadow, null).due).toEqual({
      label: 'Nothing is due',
      amount: '$0.00',
      note: '$4.93 metered, in shadow mode',
    });
    expect(viewStatement(STATEMENT, null).due).toEqual({
      label: 'Total due',
      amount: '$4.93',
      note: null,
    });
    expect(renderStatementText(shadow)).toMatch(/^Due \(closed in shadow mode\) +0\.00 USD$/m);
  });

  it('tells nothing of cost or margin', () => {
    expect(JSON.stringify(STATEMENT)).not.toMatch(/cost|margin/i);
  });

  it('reads like this on a terminal', () => {
    expect(renderStatementText(STATEMENT)).toMatchInlineSnapshot(`
      "Usage statement 2026-10-1Z19-18RS-NPP9 for acme
      Period 2026-10-01 00:00 +02:00 to 2026-11-01 00:00 +01:00, Europe/Berlin

      MODEL                                  METER             QUANTITY   RATE  AMOUNT
      gpt-4o                                 Input tokens     1,234,567   3/1M    3.70
      gpt-4o                                 Output tokens      100,000  12/1M    1.20

      Late usage of earlier periods
      gpt-4o                                 Input tokens        10,000   3/1M    0.03

      Total                                                                   4.93 USD

      Exact charge 4.933701, carried in 0, billable 4.933701, carried out 0
      1,050 calls, 47 failed, 2 cancelled
      47 calls failed and 2 calls were cancelled: none of them is charged.
      What belongs to earlier periods is listed apart.
      Price book standard of 2026-01-01: cached input is charged at the input rate
      (work done).
      Amounts are exact sums of ledger entries; the billable amount rounded once, half
      up, to 2 decimals.
      This is a usage statement, not a tax invoice.
      Manifest sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
      Closed 2026-11-01 03:00 +01:00
      "
    `);
  });
});
