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
  'src/rating/books/price-catalog.ts': [
    'test/rating/books/price-catalog.test.ts',
    'test/rating/rate-event.property.test.ts',
  ],
  'src/rating/books/rate-index.ts': ['test/rating/books/rate-index.test.ts'],
  'src/rating/books/rates-of-row.ts': ['test/rating/books/rates-of-row.test.ts'],
  'src/events/model-name.ts': ['test/events/model-name.test.ts'],
  'src/rating/exchange/exchange-rate.ts': ['test/rating/exchange/exchange-rate.test.ts'],
  'src/rating/books/price-book-document.ts': ['test/rating/books/price-book-document.test.ts'],
  'src/rating/books/genai-seed.ts': ['test/rating/books/genai-rows.test.ts'],
  'src/rating/books/genai-price.ts': ['test/rating/books/genai-price.test.ts'],
  'src/rating/books/genai-images.ts': ['test/rating/books/genai-images.test.ts'],
  'src/rating/books/genai-names.ts': ['test/rating/books/genai-names.test.ts'],
  'src/periods/calendar.ts': [
    'test/periods/calendar.test.ts',
    'test/periods/calendar.property.test.ts',
  ],
  'src/periods/zone-offset.ts': ['test/periods/zone-offset.test.ts'],
  'src/periods/placement.ts': ['test/periods/placement.test.ts'],
  'src/ledger/closes/billable.ts': ['test/ledger/closes/billable.test.ts'],
  'src/ledger/closes/manifest.ts': ['test/ledger/closes/manifest.test.ts'],
  'src/ledger/closes/manifest-lines.ts': [
    'test/ledger/closes/manifest.test.ts',
    'test/ledger/closes/manifest-lines.test.ts',
  ],
  'src/ledger/closes/manifest-layers.ts': ['test/ledger/closes/manifest-layers.test.ts'],
  'src/ledger/closes/layers-before-format-4.ts': [
    'test/ledger/closes/layers-before-format-4.test.ts',
  ],
  'src/ledger/posting/same-call.ts': [
    'test/ledger/posting/same-call.test.ts',
    'test/ledger/posting/call-report.test.ts',
  ],
  'src/ledger/posting/known-reports.ts': ['test/ledger/posting/known-reports.test.ts'],
  'src/ledger/posting/attempts.ts': ['test/ledger/posting/first-attempt.test.ts'],
  'src/ledger/corrections/difference.ts': ['test/ledger/corrections/difference.test.ts'],
  'src/ledger/corrections/tenant-sides.ts': ['test/ledger/corrections/tenant-sides.test.ts'],
  'src/ledger/reversals/correction.ts': ['test/ledger/reversals/reversal.test.ts'],
  'src/ledger/entries/entry.ts': ['test/ledger/entries/entry.test.ts'],
  'src/ledger/entries/copy-line.ts': [
    'test/ledger/entries/copy-text.test.ts',
    'test/ledger/entries/line-hash.test.ts',
  ],
};
