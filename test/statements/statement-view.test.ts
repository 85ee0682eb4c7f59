import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from '../../src/money.ts';
import { withEntries } from '../../src/statements/statement-document.ts';
import { formatMoney, formatPeriod } from '../../src/statements/statement-format.ts';
import { type StatementView, viewStatement } from '../../src/statements/statement-view.ts';
import { cases } from '../support/cases.ts';
import { everything, NOTHING_BESIDE, type SampleUsage, sampleStatement } from './sample.ts';

/** A printed figure in units of 10^-18: fine enough for a quantity times a rate. */
function units(text: string): bigint {
  const value = parseDecimal(text.replaceAll(/[$,]/g, '').replace('−', '-'), 18);
  if (value === null) throw new Error(`"${text}" is not a figure`);
  return value;
}

const ONE = 10n ** 18n;

function sum(texts: readonly string[]): bigint {
  return texts.reduce((total, text) => total + units(text), 0n);
}

function linesOf(view: StatementView) {
  return view.sections.flatMap((section) => section.groups.flatMap((group) => group.lines));
}

const usage: fc.Arbitrary<SampleUsage> = fc.record({
  day: fc.integer({ min: 1, max: 31 }).map((day) => `2026-10-${String(day).padStart(2, '0')}`),
  model: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
  input: fc.nat(5_000_000),
  output: fc.nat(500_000),
  cached: fc.nat(5_000_000),
  late: fc.boolean(),
  rate: fc.record({
    input: fc.bigInt({ min: 0n, max: 90_000_000n }),
    output: fc.bigInt({ min: 0n, max: 90_000_000n }),
  }),
  perCall: fc.bigInt({ min: 0n, max: 5_000n }).map((micro) => micro * 1_000_000n),
});

describe('the figures that a statement prints', () => {
  it('agree with each other, line by line, day by day and in sum', () => {
    const carried = fc.bigInt({ min: -(10n ** 13n), max: 10n ** 6n });
    fc.assert(
      fc.property(fc.array(usage, { maxLength: 30 }), carried, (usages, carriedIn) => {
        const document = sampleStatement(usages, { carriedIn });
        const view = viewStatement(document, 'Issuer');
        for (const line of linesOf(view)) {
          const priced = line.rateUnit === '' ? 1_000_000n : 1n;
          const product = units(line.quantity) * units(line.rate.text);
          expect(product).toBe(units(line.exact.text) * priced * ONE);
        }
        expect(sum(view.totals.slice(0, -1).map((row) => row.amount))).toBe(units(view.due.amount));
        const shown = view.totals.filter(({ label }) => /usage/.test(label));
        expect(sum(linesOf(view).map((line) => line.amount))).toBe(
          sum(shown.map((row) => row.amount)),
        );
        const days = sum(view.daily.rows.map((row) => row.at(-1) ?? ''));
        const late = view.daily.late * 10n ** 6n;
        expect(days + late).toBe(units(document.exact.charge));
        expect(sum(view.daily.sums.slice(1, -1))).toBe(days);
        const [exact, carriedOver, carriedOn, billable] = view.reckoning.map((row) => row.amount);
        expect(sum([exact ?? '', carriedOver ?? '', carriedOn ?? ''])).toBe(units(billable ?? ''));
      }),
      cases(200),
    );
  });

  it('refuse days that do not add up to the exact charge', () => {
    const document = sampleStatement([{ day: '2026-10-05', model: 'a', input: 10, output: 0 }]);
    expect(() => withEntries(document, NOTHING_BESIDE)).toThrow(
      /add up to 0, but its entries to 0.00003/,
    );
  });

  it('keep every decimal of a rate', () => {
    const rate = { input: 75_000n, output: 1n };
    const document = sampleStatement([
      { day: '2026-10-05', model: 'a', input: 206_400_000, output: 1_000_000, rate },
    ]);
    const figures = linesOf(viewStatement(document, 'Issuer')).map((line) => [
      line.quantity,
      line.rate.text,
      line.exact.text,
      line.amount,
    ]);
    expect(figures).toEqual([
      ['206,400,000', '0.075', '15.48', '$15.48'],
      ['1,000,000', '0.000001', '0.000001', '$0.00'],
    ]);
  });
});

describe('the view of a statement', () => {
  const view = viewStatement(everything(), 'Northwind AI');

  it('gives the five models that cost most a color each, and the others one', () => {
    expect(view.daily.series).toEqual([
      'model-1',
      'model-2',
      'model-3',
      'model-4',
      'model-5',
      '12 others',
    ]);
    expect(view.sections[0]?.groups.map((group) => group.series).slice(0, 8)).toEqual([
      0, 1, 2, 3, 4, 5, 5, 5,
    ]);
  });

  it('covers the days of the customer, and says whose they are', () => {
    expect(view.daily.days.map(({ day }) => day)).toHaveLength(31);
    expect(view.daily.days[0]?.day).toBe('2026-10-01');
    expect(view.daily.caption).toBe(
      'By day, Europe/Berlin. Late usage of earlier periods ($2.16) is not in the bars.',
    );
  });

  it('says in words what is charged, and why', () => {
    expect({
      ...view,
      daily: view.daily.summary,
      sections: view.sections.map((s) => s.title),
    }).toMatchInlineSnapshot(`
      {
        "basis": "Manifest sha256:39a7b43f1ead325854e365218273be64c57fdebddbefcc502cabeed953732688, closed 2026-11-02 04:04 +01:00",
        "bounds": "From 2026-10-01 00:00 +02:00 until 2026-11-01 00:00 +01:00",
        "comparison": null,
        "currency": "USD",
        "customer": {
          "lines": [],
          "name": "<script>alert("x")</script> & Söhne 名",
        },
        "daily": "Stacked bars of the charge by model for 31 days; the highest is 30 Oct with $1,349.32.",
        "datedAt": "2026-11-02T03:04:05.000Z",
        "due": {
          "amount": "$3,483.57",
          "label": "Total due",
          "note": null,
        },
        "facts": [
          {
            "label": "Usage",
            "lines": [
              "108 calls",
              "1,087,733,817 input tokens",
              "19,045,013 output tokens",
              "47 failed, not charged",
            ],
          },
          {
            "label": "Price book",
            "lines": [
              "standard",
              "version 2026-01-01",
            ],
          },
          {
            "label": "Issued",
            "lines": [
              "2 November 2026",
              "sha256:39a7…2688",
            ],
          },
        ],
        "glossary": [
          {
            "meaning": "a piece of text, about three quarters of an English word",
            "word": "Token",
          },
          {
            "meaning": "input that the provider had read before and kept",
            "word": "Cached input",
          },
          {
            "meaning": "a month that was closed already: what came for it afterwards is on this statement",
            "word": "Earlier period",
          },
          {
            "meaning": "left from the period before, or for the next one, since it could not be billed in its own",
            "word": "Carried",
          },
          {
            "meaning": "the record that was frozen at the close; its sha256 is a fingerprint that shows any change",
            "word": "Manifest",
          },
        ],
        "invoices": [],
        "issuer": {
          "lines": [],
          "name": "Northwind AI",
        },
        "kind": "Usage statement",
        "layers": null,
        "logo": null,
        "mark": null,
        "notes": [
          "Quantity × rate = exact. Amounts are rounded so that they add up to the total.",
          "What is left below a millionth is not lost: it is carried on to the next period.",
          "47 calls failed, and are not charged.",
          "9,333,324 of 1,087,733,817 input tokens were read from a cache.",
          "What belongs to earlier periods is listed apart.",
          "Price book standard of 2026-01-01: cached input is charged at the input rate (work done).",
          "Amounts are exact sums of ledger entries; the billable amount rounded once, half up, to 2 decimals.",
          "This is a usage statement, not a tax invoice.",
        ],
        "number": "2026-10-3J71-M1G1-Z25F",
        "period": "1 – 31 October 2026 (Europe/Berlin)",
        "projection": null,
        "reckoning": [
          {
            "amount": "3,488.819104075",
            "label": "Exact sum of all entries",
          },
          {
            "amount": "−5.25",
            "label": "Carried in from the period before",
          },
          {
            "amount": "−0.000000075",
            "label": "Carried on to the next period",
          },
          {
            "amount": "3,483.569104",
            "label": "Billable, in whole millionths",
          },
          {
            "amount": "3,483.57",
            "label": "Total, rounded once, half up, to 2 decimals",
          },
        ],
        "sections": [
          "Usage by model",
          "Late usage of earlier periods",
        ],
        "shares": [],
        "support": [],
        "title": "Usage statement of 2026-10 for <script>alert("x")</script> & Söhne 名",
        "totals": [
          {
            "amount": "$3,486.66",
            "label": "Metered usage",
          },
          {
            "amount": "$2.16",
            "label": "Late usage of earlier periods",
          },
          {
            "amount": "−$5.25",
            "label": "Carried in from the period before",
          },
          {
            "amount": "$3,483.57",
            "label": "Total (USD)",
          },
        ],
      }
    `);
  });

  it('explains a period that corrections made negative', () => {
    const document = sampleStatement([], { carriedIn: -3_000_000_000_000n });
    const negative = viewStatement(document, 'Issuer');
    expect(negative.due.amount).toBe('$0.00');
    expect(negative.notes).toContainEqual(expect.stringContaining('nothing is billed'));
    expect(negative.totals.map(({ label, amount }) => `${label} ${amount}`)).toEqual([
      'Metered usage $0.00',
      'Carried in from the period before −$3.00',
      'Carried on to the next period $3.00',
      'Total (USD) $0.00',
    ]);
  });
});

describe('words and figures', () => {
  it('write money with its sign before the symbol', () => {
    expect(formatMoney('1234567.80', 'USD')).toBe('$1,234,567.80');
    expect(formatMoney('-5.25', 'EUR')).toBe('−€5.25');
    expect(formatMoney('1200', 'JPY')).toBe('¥1,200');
    expect(formatMoney('1.00', 'CHF')).toBe('CHF 1.00');
  });

  it('name a period in its own zone, saying only once what both ends share', () => {
    const period = (from: string, to: string) => formatPeriod(from, to, 'Europe/Berlin');
    expect(period('2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z')).toBe(
      '1 – 31 October 2026',
    );
    expect(period('2026-12-14T23:00:00.000Z', '2027-01-14T23:00:00.000Z')).toBe(
      '15 December 2026 – 14 January 2027',
    );
    expect(period('2026-09-30T22:00:00.000Z', '2026-10-01T22:00:00.000Z')).toBe('1 October 2026');
  });
});
