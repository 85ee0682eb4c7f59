import { MANIFEST_FORMAT, makeManifest } from '../../src/ledger/closes/manifest.ts';
import type { EntryGroup, GroupPrice } from '../../src/ledger/closes/manifest-lines.ts';
import { formatPico } from '../../src/money.ts';
import type { Rate } from '../../src/rating/books/rate.ts';
import { buildStatement } from '../../src/statements/statement.ts';
import type {
  DailyUsage,
  StatementCorrection,
  StatementDocument,
  UsageShare,
} from '../../src/statements/statement-answer.ts';
import { withEntries } from '../../src/statements/statement-document.ts';

/** Closed periods made by the ledger's own arithmetic, for whatever renders them. */

/** One model's usage of a day: tokens of each bucket, and picodollars a token. */
export interface SampleUsage {
  readonly day: string;
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly cached?: number;
  readonly late?: boolean;
  readonly tier?: string;
  /** Calls that a correction of an earlier period takes back, as a negative count; one call where it is absent. */
  readonly calls?: number;
  readonly feature?: string;
  readonly user?: string;
  readonly rate?: { readonly input: bigint; readonly output: bigint };
  /** Picodollars a call. */
  readonly perCall?: bigint;
}

export interface SampleOptions {
  readonly tenantId?: string;
  readonly timeZone?: string;
  readonly failed?: number;
  readonly carriedIn?: bigint;
  readonly book?: string;
  readonly caching?: GroupPrice['caching'];
  readonly startsAt?: number;
  readonly endsAt?: number;
  readonly currency?: string;
  readonly mode?: 'shadow' | 'live';
  /** Amounts in picos of the currency, each with its reason. */
  readonly adjustments?: readonly { readonly reason: string; readonly amount: bigint }[];
  readonly corrections?: readonly StatementCorrection[];
  readonly preview?: StatementDocument['preview'];
  readonly beside?: Partial<Parameters<typeof withEntries>[1]>;
}

const CLOSED_AT = '2026-11-02T03:04:05.000Z';

/** $3.00 and $12.00 a million. */
const USUAL_RATE = { input: 3_000_000n, output: 12_000_000n };

export function sampleStatement(
  usages: readonly SampleUsage[],
  options: SampleOptions = {},
): StatementDocument {
  const groups = usages.map((usage) => groupOf(usage, options));
  const adjustments = (options.adjustments ?? []).map((of) => adjustmentOf(of, options));
  const frozen = makeManifest(
    {
      tenantId: options.tenantId ?? 'acme',
      periodStart: '2026-10-01',
      startsAt: options.startsAt ?? Date.UTC(2026, 9, 1),
      endsAt: options.endsAt ?? Date.UTC(2026, 10, 1),
      timeZone: options.timeZone ?? 'UTC',
      currency: options.currency ?? 'USD',
      carriedIn: options.carriedIn ?? 0n,
      carriedInDue: 0n,
      carriesDue: false,
      format: MANIFEST_FORMAT,
      entriesRoot: '0'.repeat(64),
    },
    [...groups, ...adjustments, ...failures(options.failed ?? 0)],
  );
  const preview = options.preview ?? null;
  const statement = buildStatement({
    manifest: frozen.manifest,
    frozen: preview === null ? { manifestHash: frozen.hash, closedAt: CLOSED_AT } : null,
    mode: options.mode ?? 'live',
    preview,
  });
  const failed = options.failed ?? 0;
  return withEntries(statement, {
    ...NOTHING_BESIDE,
    daily: dailyOf(usages, groups),
    features: sharesOf(usages, groups, { nameOf: ({ feature }) => feature, failed }),
    users: sharesOf(usages, groups, { nameOf: ({ user }) => user, failed }),
    ...options.beside,
    corrections: options.corrections ?? [],
  });
}

/** What is known of nobody: for statements that say nothing of it. */
export const NOTHING_BESIDE = {
  issuer: {
    ...{ name: 'Spanledger', address: null, logo: null },
    ...{ support_url: null, support_email: null },
  },
  customer: { name: null, address: null, contact: null },
  ...{
    daily: [],
    corrections: [],
    taken_back_elsewhere: 0,
    allocations: [],
    features: [],
    users: [],
    invoices: [],
  },
  month_before: null,
  cached: 0,
};

function sharesOf(
  usages: readonly SampleUsage[],
  groups: readonly EntryGroup[],
  of: { readonly nameOf: (usage: SampleUsage) => string | undefined; readonly failed: number },
): readonly UsageShare[] {
  const calls = usages.map((usage, index) => ({
    name: of.nameOf(usage) ?? null,
    calls: usage.calls === undefined ? 1 : 0,
    charge: groups[index]?.charge ?? 0n,
  }));
  if (of.failed > 0) calls.push({ name: null, calls: of.failed, charge: 0n });
  return [...Map.groupBy(calls, ({ name }) => name)]
    .map(([name, own]) => ({
      name,
      calls: own.reduce((sum, one) => sum + one.calls, 0),
      charge: own.reduce((sum, one) => sum + one.charge, 0n),
    }))
    .sort((a, b) => (a.charge < b.charge ? 1 : -1))
    .map(({ charge, ...share }) => ({ ...share, exact: formatPico(charge) }));
}

function dailyOf(
  usages: readonly SampleUsage[],
  groups: readonly EntryGroup[],
): readonly DailyUsage[] {
  return usages.map((usage, index) => ({
    day: usage.day,
    model: usage.model,
    late: usage.late ?? false,
    charge: formatPico(groups[index]?.charge ?? 0n),
  }));
}

function groupOf(usage: SampleUsage, options: SampleOptions): EntryGroup {
  const own = usage.rate ?? USUAL_RATE;
  const cached = BigInt(usage.cached ?? 0);
  const perCall = usage.perCall ?? 0n;
  const rate: Rate = {
    rateId: 1n,
    book: options.book ?? 'standard',
    provider: null,
    model: usage.model,
    serviceTier: usage.tier ?? 'standard',
    aboveInputTokens: 0n,
    perCall,
    input: own.input,
    output: own.output,
    cacheRead: own.input,
    cacheWrite: own.input,
    units: null,
  };
  const tokens = {
    uncachedInput: BigInt(usage.input),
    cacheRead: cached,
    cacheWrite: 0n,
    output: BigInt(usage.output),
    callShare: 1_000_000n,
    units: null,
  };
  return {
    requestedModel: usage.model,
    serviceTier: usage.tier ?? 'standard',
    late: usage.late ?? false,
    due: true,
    currency: options.currency ?? 'USD',
    kind: 'usage',
    outcome: 'charged',
    entries: 1n,
    calls: BigInt(usage.calls ?? 1),
    tokens,
    charge: (tokens.uncachedInput + cached) * own.input + tokens.output * own.output + perCall,
    price: {
      book: options.book ?? 'standard',
      version: Date.UTC(2026, 0, 1),
      caching: options.caching ?? 'work_done',
      rate,
    },
  };
}

function adjustmentOf(
  { reason, amount }: { readonly reason: string; readonly amount: bigint },
  options: SampleOptions,
): EntryGroup {
  const usage = groupOf({ day: '2026-10-01', model: reason, input: 0, output: 0 }, options);
  return { ...usage, kind: 'adjustment', calls: 0n, charge: amount, price: null };
}

function failures(count: number): readonly EntryGroup[] {
  if (count === 0) return [];
  return [
    {
      requestedModel: 'gpt-4o',
      serviceTier: 'standard',
      late: false,
      due: true,
      currency: 'USD',
      kind: 'usage',
      outcome: 'failed',
      entries: BigInt(count),
      calls: BigInt(count),
      tokens: {
        ...{ uncachedInput: 0n, cacheRead: 0n, cacheWrite: 0n, output: 0n, callShare: 0n },
        units: null,
      },
      charge: 0n,
      price: null,
    },
  ];
}

/** Every section at once, and names that would break a page that believed them. */
export const HOSTILE = '<script>alert("x")</script>';

export function everything(): StatementDocument {
  const models = Array.from({ length: 14 }, (_, index) => `model-${index + 1}`);
  const days = ['2026-10-02', '2026-10-09', '2026-10-16', '2026-10-30'];
  const usages: SampleUsage[] = days.flatMap((day, place) =>
    models.map((model, rank) => ({
      day,
      model,
      input: 900_000 * (15 - rank) * (place + 1) + 7,
      output: 40_000 * (15 - rank),
      cached: rank % 2 === 0 ? 333_333 : 0,
    })),
  );
  usages.push(
    { day: '2026-10-03', model: HOSTILE, input: 5_000_000, output: 3, perCall: 2_500_000_000n },
    {
      day: '2026-10-04',
      model: 'model-1',
      tier: 'batch',
      input: 1_000_001,
      output: 0,
      rate: { input: 75_000n, output: 0n },
    },
    { day: '2026-10-05', model: '名古屋-大'.repeat(3), input: 100, output: 10 },
    {
      day: '2026-10-06',
      model: `a-model-with-${'a-very-long-name-'.repeat(8)}`,
      input: 700_000,
      output: 0,
    },
    { day: '2026-09-29', model: 'model-2', input: 700_000, output: 5_000, late: true },
  );
  return sampleStatement(usages, {
    tenantId: `${HOSTILE} & Söhne 名`,
    timeZone: 'Europe/Berlin',
    startsAt: Date.UTC(2026, 8, 30, 22),
    endsAt: Date.UTC(2026, 9, 31, 23),
    failed: 47,
    carriedIn: -5_250_000_000_000n,
    book: 'standard',
  });
}
