import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountPart, accountsOf } from '../../src/exports/journal/journal-accounts.ts';
import type { JournalClose } from '../../src/exports/journal/journal-answer.ts';
import { entryOfClose } from '../../src/exports/journal/journal-entry.ts';
import { renderJournal } from '../../src/exports/journal/journal-text.ts';
import { MANIFEST_FORMAT, makeManifest } from '../../src/ledger/closes/manifest.ts';
import type { EntryGroup } from '../../src/ledger/closes/manifest-lines.ts';
import { exactPico } from '../../src/money.ts';
import { cases } from '../support/cases.ts';

/** Double entries are made of a manifest's rounded lines, and read back here by a parser of our own. */

const NO_TOKENS = {
  uncachedInput: 0n,
  cacheRead: 0n,
  cacheWrite: 0n,
  output: 0n,
  callShare: 0n,
  units: null,
};

type Money = readonly [
  kind: 'allocation' | 'adjustment',
  name: string,
  charge: bigint,
  late: boolean,
];

function groupOf([kind, requestedModel, charge, late]: Money): EntryGroup {
  return {
    ...{ kind, requestedModel, charge, late, tokens: NO_TOKENS, serviceTier: 'standard' },
    ...{ due: true, currency: 'USD', outcome: 'charged', entries: 1n, calls: 0n, price: null },
  };
}

const USUAL = accountsOf({
  receivable: null,
  income: null,
  shared: null,
  adjustments: null,
  carried: null,
});

function closeOf(
  money: readonly Money[],
  of: { tenant?: string; currency?: string; carried?: bigint; held?: bigint },
) {
  const { tenant = 'acme', currency = 'USD', carried = 0n, held = 0n } = of;
  const facts = {
    ...{ tenantId: tenant, periodStart: '2026-10-01', timeZone: 'Europe/Berlin', currency },
    startsAt: Date.parse('2026-09-30T22:00:00Z'),
    endsAt: Date.parse('2026-10-31T23:00:00Z'),
    ...{ carriedIn: carried + held, carriedInDue: held, carriesDue: false },
    ...{ format: MANIFEST_FORMAT, entriesRoot: 'ab'.repeat(32) },
  };
  const groups = money.map((one) => ({ ...groupOf(one), currency }));
  const { manifest, hash, billable } = makeManifest(facts, groups);
  const entry = entryOfClose({ manifest, manifestHash: hash }, USUAL);
  return { entry, carriedOut: billable.carriedOut };
}

/** Text that tries to leave its place: quotes, line ends, colons, other scripts. */
const anyName = fc.oneof(
  fc.constantFrom('gpt-4o', 'gpt-4.1', 'a"b', 'c\\', 'd\ne', 'x:y', '株式会社', '=1+1', 'A b'),
  fc.string({ minLength: 1, maxLength: 20 }),
);

const anyMoney: fc.Arbitrary<Money> = fc.tuple(
  fc.constantFrom('allocation' as const, 'adjustment' as const),
  anyName,
  fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  fc.boolean(),
);

const anyClose = fc.record({
  money: fc.array(anyMoney, { maxLength: 12 }),
  tenant: anyName,
  currency: fc.constantFrom('USD', 'JPY', 'KWD', 'ISK'),
  carried: fc.bigInt({ min: -(10n ** 14n), max: 999_999n }),
});

it('every close balances to the digit, in the journal, in CSV and in beancount', () => {
  fc.assert(
    fc.property(anyClose, ({ money, ...of }) => {
      const { entry } = closeOf(money, of);
      const answer = { closes: [entry], skipped: [] };
      const owed = exactPico(entry.total);
      for (const postings of [
        entry.postings.map(({ debit, credit }) => exactPico(debit) - exactPico(credit)),
        readCsv(renderJournal(answer, 'csv')),
        readBeancount(renderJournal(answer, 'beancount'), entry),
      ]) {
        expect(postings.reduce((sum, amount) => sum + amount, 0n)).toBe(0n);
        expect(postings[0]).toBe(owed);
      }
    }),
  );
});

it('what a month carries on is the balance from which the next one begins', () => {
  // -5.00 is credited, so nothing is billed; of the next month's 8.00 only 3.00 are owed.
  const october = closeOf([['adjustment', 'sorry', -5n * 10n ** 12n, false]], {});
  const november = closeOf([['allocation', 'gpu', 8n * 10n ** 12n, false]], {
    carried: october.carriedOut,
  });
  expect([october.entry.postings, november.entry.postings]).toEqual([
    [
      posting('receivable', 'Assets:Receivable:Acme', '0.00', '0.00'),
      posting('adjustments', 'Income:Adjustments', '5.00', '0.00'),
      posting('carried', 'Liabilities:Carried:Acme', '0.00', '5.00'),
    ],
    [
      posting('receivable', 'Assets:Receivable:Acme', '3.00', '0.00'),
      posting('shared', 'Income:Shared:Gpu', '0.00', '8.00'),
      posting('carried', 'Liabilities:Carried:Acme', '5.00', '0.00'),
    ],
  ]);
});

it('what months in shadow held is income of the month that bills it, also where a credit uses it up', () => {
  const october = closeOf([['adjustment', 'sorry', -5n * 10n ** 12n, false]], {});
  const held = 5n * 10n ** 12n;
  const december = closeOf([['allocation', 'gpu', 8n * 10n ** 12n, false]], {
    ...{ carried: october.carriedOut, held },
  });
  expect(december.entry.postings).toEqual([
    posting('receivable', 'Assets:Receivable:Acme', '8.00', '0.00'),
    posting('shared', 'Income:Shared:Gpu', '0.00', '8.00'),
    posting('adjustments', 'Income:Adjustments', '0.00', '5.00'),
    posting('carried', 'Liabilities:Carried:Acme', '5.00', '0.00'),
  ]);
});

it('what is carried comes to nothing once nothing is carried, whatever the lines round to', () => {
  const anyPart = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
  const anyMonth = fc.record({ parts: fc.array(anyPart, { maxLength: 4 }), held: anyPart });
  fc.assert(
    fc.property(fc.array(anyMonth, { maxLength: 4 }), (months) => {
      let carried = 0n;
      let balance = 0n;
      // The last month uses up whatever credit there is, to the last micro-dollar.
      for (const { parts, held } of [...months, { parts: null, held: 0n }]) {
        const all = parts ?? [3n * 10n ** 12n, -(carried % 1_000_000n), 2n * 10n ** 13n];
        const money = all.map((part, n): Money => ['allocation', `pool-${n}`, part, false]);
        const { entry, carriedOut } = closeOf(money, { carried, held });
        for (const { kind, debit, credit } of entry.postings)
          if (kind === 'carried') balance += exactPico(credit) - exactPico(debit);
        carried = carriedOut;
      }
      expect(balance).toBe(0n);
    }),
    cases(500),
  );
});

function posting(kind: string, account: string, debit: string, credit: string) {
  return { kind, account, debit, credit };
}

it('an entry has the date of the last day of its period, by the clocks of the tenant', () => {
  const { entry } = closeOf([['allocation', 'gpu', 10n ** 12n, false]], {});
  expect(entry.date).toBe('2026-10-31');
  expect(renderJournal({ closes: [entry], skipped: [] }, 'beancount')).toContain(
    '2026-10-31 * "acme" "Usage of the period from 2026-10-01"',
  );
});

it('two names never share an account', () => {
  const names = [
    'acme',
    'Acme',
    'a.b',
    'a-b',
    'a--b',
    'a:b',
    'a b',
    '株式会社',
    '有限会社',
    '-',
    '.',
  ];
  expect(new Set(names.map(accountPart)).size).toBe(names.length);
  expect(accountPart('gpt-4.1-mini')).toBe('Gpt-4--1-mini');
  expect(new Set(['a-.b', 'a.-b', 'a..b', 'a-.-b'].map(accountPart)).size).toBe(4);
  // Points and dashes beside each other are where two names come closest.
  const name = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '.', '-') }));
  fc.assert(
    fc.property(name, name, (one, other) => {
      fc.pre(one !== other);
      expect(accountPart(one)).not.toBe(accountPart(other));
      expect(accountPart(one)).toMatch(/^[A-Z0-9][A-Za-z0-9-]*$/);
    }),
  );
});

it('an account is named by its pattern, and a pattern that has what no posting has is refused', () => {
  const none = { receivable: null, income: null, shared: null, adjustments: null, carried: null };
  expect(accountsOf({ ...none, receivable: '1200-{currency}' }).receivable).toBe('1200-{currency}');
  expect(() => accountsOf({ ...none, income: 'Income:{user}' })).toThrow('{user}');
});

/** Debits less credits of each row, in its order. */
function readCsv(text: string): readonly bigint[] {
  const [head = [], ...rows] = cellsOf(text);
  const [debit, credit] = [head.indexOf('debit'), head.indexOf('credit')];
  return rows.map((row) => exactPico(row[debit] ?? '') - exactPico(row[credit] ?? ''));
}

/** RFC 4180, with line ends and quotes inside of cells. */
function cellsOf(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = '', end = ''] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g,
  )) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ',') rows.push([]);
  }
  return rows.slice(0, -1);
}

/** The amounts of the one transaction in the file, whose every line must be one that beancount has. */
function readBeancount(text: string, { date, currency }: JournalClose): readonly bigint[] {
  const [plugin, blank, head = '', ...lines] = text.split('\n');
  expect([plugin, blank]).toEqual(['plugin "beancount.plugins.auto_accounts"', '']);
  expect(head).toMatch(new RegExp(`^${date} \\* "(?:[^"\\\\]|\\\\.)*" "(?:[^"\\\\]|\\\\.)*"$`));
  return lines.flatMap((line) => {
    if (line === '' || /^ {2}[a-z]+: "[^"]*"$/.test(line)) return [];
    const amount = new RegExp(
      `^  [A-Z][a-z]+(?::[A-Z0-9][A-Za-z0-9-]*)+  (-?[\\d.]+) ${currency}$`,
    );
    const [, figure] = amount.exec(line) ?? [];
    if (figure === undefined) throw new Error(`beancount takes no line ${line}`);
    return [exactPico(figure)];
  });
}
