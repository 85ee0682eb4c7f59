/** The pure files that decide amounts, each with the tests that are to kill its mutants. */
export const MONEY_FILES: Readonly<Record<string, readonly string[]>> = {
  'src/money.ts': ['test/money.test.ts'],
  'src/rating/rate-usage.ts': [
    'test/rating/rate-usage.test.ts',
    'test/rating/rate-event.property.test.ts',
  ],
  'src/rating/split.ts': ['test/rating/split.test.ts', 'test/rating/rate-event.property.test.ts'],
  'src/rating/scale-layers.ts': ['test/rating/scale-layers.test.ts'],
  'src/rating/rate-event.ts': [
    'test/rating/rate-event.test.ts',
    'test/rating/rate-event.property.test.ts',
  ],
  'src/rating/price-catalog.ts': [
    'test/rating/price-catalog.test.ts',
    'test/rating/rate-event.property.test.ts',
  ],
  'src/rating/price-book-document.ts': ['test/rating/price-book-document.test.ts'],
  'src/rating/genai-seed.ts': ['test/rating/genai-seed.test.ts'],
  'src/rating/genai-names.ts': ['test/rating/genai-seed.test.ts'],
  'src/periods/calendar.ts': [
    'test/periods/calendar.test.ts',
    'test/periods/calendar.property.test.ts',
  ],
  'src/periods/zone-offset.ts': ['test/periods/zone-offset.test.ts'],
  'src/periods/placement.ts': ['test/periods/placement.test.ts'],
  'src/ledger/billable.ts': ['test/ledger/billable.test.ts'],
  'src/ledger/manifest.ts': ['test/ledger/manifest.test.ts'],
  'src/ledger/attempts.ts': ['test/ledger/first-attempt.test.ts'],
  'src/ledger/correction.ts': ['test/ledger/reversal.test.ts'],
  'src/ledger/copy-line.ts': ['test/ledger/copy-text.test.ts'],
};
