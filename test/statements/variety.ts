import type { StatementDocument } from '../../src/statements/statement-answer.ts';
import { everything, NOTHING_BESIDE, type SampleUsage, sampleStatement } from './sample.ts';
import { samplePng } from './sample-png.ts';

/** Statements of every size and kind, by name, for whatever must be able to show each of them. */
export const VARIETY: Readonly<Record<string, StatementDocument>> = {
  everything: everything(),
  empty: sampleStatement([]),
  'one call': sampleStatement([usage({ input: 1_200, output: 340, perCall: 5_000_000n })]),
  millions: sampleStatement(
    [
      usage({ model: 'claude-sonnet-4-5', input: 3_500_000_000_000, output: 104_640_741_667 }),
      usage({
        model: 'gpt-4o-realtime',
        input: 195_333_333_333,
        output: 33_333,
        day: '2026-10-20',
      }),
    ],
    { tenantId: 'Acme Robotics GmbH', failed: 326 },
  ),
  yen: sampleStatement([usage({ rate: { input: 450_000_000n, output: 1_800_000_000n } })], {
    currency: 'JPY',
    tenantId: '株式会社山田',
    timeZone: 'Asia/Tokyo',
    startsAt: Date.UTC(2026, 8, 30, 15),
    endsAt: Date.UTC(2026, 9, 31, 15),
  }),
  dinars: sampleStatement([usage({ input: 900_000_000_000_000, output: 55_555 })], {
    currency: 'KWD',
    tenantId: 'شركة المدى للتقنية',
    timeZone: 'Asia/Kuwait',
    startsAt: Date.UTC(2026, 8, 30, 21),
    endsAt: Date.UTC(2026, 9, 31, 21),
  }),
  'late only': sampleStatement([usage({ day: '2026-09-29', late: true })]),
  'corrections only': sampleStatement(
    [usage({ day: '2026-09-12', input: -2_700_000, output: -38_333, late: true, calls: -15 })],
    {
      carriedIn: 20_000_000_000_000n,
      corrections: [
        {
          month: '2026-09',
          late: true,
          reason: 'ticket 4711',
          taken_back: 15,
          replaced: 0,
          exact: '-8.559996',
        },
      ],
    },
  ),
  'many models': sampleStatement(
    Array.from({ length: 400 }, (_, index) =>
      usage({
        model: `provider-${index % 7}/model-${index}`,
        input: 1_000_000 + index * 7_919,
        output: 1_000 * (index + 1),
        day: `2026-10-${String((index % 31) + 1).padStart(2, '0')}`,
      }),
    ),
  ),
  'long names': sampleStatement(
    [usage({ model: 'm'.repeat(200) }), usage({ model: 'many words '.repeat(18) })],
    { tenantId: 'W'.repeat(200) },
  ),
  shadow: sampleStatement([usage({})], { mode: 'shadow' }),
  adjustment: sampleStatement([usage({})], {
    adjustments: [
      { reason: 'Service credit for the outage of 3 October', amount: -1_250_000_000_000n },
      { reason: 'Onboarding', amount: 499_000_000_000_000n },
    ],
  }),
  'left in mid-month': sampleStatement([usage({ day: '2026-10-14' })], {
    tenantId: 'Ελληνική Εταιρεία · Công ty Việt Nam · ООО «Ромашка»',
    endsAt: Date.UTC(2026, 9, 15),
  }),
  preview: sampleStatement([usage({ day: '2026-10-05' }), usage({ day: '2026-10-09' })], {
    preview: {
      as_of: '2026-10-10T12:00:00.000Z',
      earlier_open: '2026-09-01',
      left_owed: [],
      waiting: 0,
      projection: {
        total: '21.54',
        method:
          'Each day to come counts as the 5 whole days since the first usage did on the average; late usage, shared spend, adjustments and what is carried in count once.',
      },
    },
  }),
  named: sampleStatement(
    Array.from({ length: 30 }, (_, index) =>
      usage({
        day: `2026-10-${String((index % 28) + 1).padStart(2, '0')}`,
        model: ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5'][index % 3] ?? '',
        input: 1_000_000 + index * 40_000,
        cached: index * 1_000,
        ...(index % 7 === 0 ? {} : { feature: `feature-${index % 12}`, user: `user-${index % 5}` }),
      }),
    ),
    {
      tenantId: 'acme-robotics',
      failed: 47,
      beside: {
        issuer: {
          name: 'Northwind AI GmbH',
          address: 'Unter den Linden 1\n10117 Berlin\nGermany',
          logo: `data:image/png;base64,${samplePng(240, 80).toString('base64')}`,
          support_url: 'https://northwind.example/support',
          support_email: 'billing@northwind.example',
        },
        customer: {
          name: 'Acme Robotics Łódź sp. z o.o.',
          address: 'ul. Piotrkowska 100\n90-004 Łódź',
          contact: 'Zofia Wiśniewska, accounts payable',
        },
        invoices: [
          {
            id: 'in_1SampleOfAnInvoice',
            state: 'final',
            url: 'https://invoice.stripe.com/i/sample',
          },
        ],
        month_before: {
          start: '2026-09-01',
          total: '120.00',
          lines: [
            { model: 'gpt-4o', amount: '100.00' },
            { model: 'gpt-4-turbo', amount: '20.00' },
          ],
        },
      },
    },
  ),
  'a user for each call': sampleStatement(
    Array.from({ length: 40 }, (_, index) =>
      usage({ user: `${'a user with a long name '.repeat(8)}${index}`, feature: 'chat' }),
    ),
    {
      carriedIn: -2_000_000_000_000n,
      beside: { customer: { ...NOTHING_BESIDE.customer, name: 'Globex' }, cached: 4 },
    },
  ),
  'ten million, by one whose address has no space': sampleStatement(
    [
      usage({ input: 3_500_000_000_000, feature: 'search', user: 'user-1' }),
      usage({ input: 1_200_000_000, feature: 'chat', user: 'user-2' }),
    ],
    {
      beside: {
        customer: {
          name: 'Donaudampfschifffahrtsgesellschaft',
          address: `${'Straße'.repeat(20)}1\n${'0'.repeat(120)}`,
          contact: `${'accounts.payable.'.repeat(6)}@example.com`,
        },
      },
    },
  ),
  scripts: sampleStatement(
    [usage({ model: 'gpt-4o', user: 'Zażółć gęślą' }), usage({ user: 'ประเทศไทย' })],
    {
      tenantId: 'scripts',
      beside: {
        customer: {
          name: 'आदित्य प्रौद्योगिकी',
          address:
            'חברת אלון בע״מ, תל אביב\nشركة المدى للتقنية، الكويت\n株式会社山田 · 서울전자 · 北京科技',
          contact: 'Ивановъ Пётр · Nguyễn Thị Hường · Łódź',
        },
      },
    },
  ),
  'daylight saving': sampleStatement([usage({ day: '2026-10-25' })], {
    timeZone: 'Europe/Berlin',
    startsAt: Date.UTC(2026, 8, 30, 22),
    endsAt: Date.UTC(2026, 9, 31, 23),
  }),
};

function usage(of: Partial<SampleUsage>): SampleUsage {
  return { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 25_000, ...of };
}
