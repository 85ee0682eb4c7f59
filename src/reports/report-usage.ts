import { formatInstant, formatInstantOrNull } from '../clock.ts';
import { foldBeforeReading } from '../ledger/rollups/reading-folds.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { refuseUnknownTenant } from '../tenants/asked-tenant.ts';
import { coverageOf } from './coverage.ts';
import { type Coverage, readCoverage } from './coverage-store.ts';
import { readExchangesUsed } from './exchanges-used-store.ts';
import { percentOf } from './percent.ts';
import { type ReversedElsewhere, readReversedElsewhere } from './reversed-elsewhere-store.ts';
import type { UsageAnswer, UsageGroup, UsageRequest } from './usage-answer.ts';
import { readUsageByDays } from './usage-days-store.ts';
import type { UsageQuestion, UsageRow } from './usage-report-store.ts';

/** Reports usage, charge, cost and margin by any dimensions, with the coverage of the same days. */
export async function reportUsage(
  parts: Pick<Parts, 'database' | 'clock' | 'view' | 'folds' | 'days'>,
  request: UsageRequest,
): Promise<UsageAnswer> {
  const { database, view = database, days } = parts;
  const { by, tenant_id: tenantId, month, from, to, as_of: asOf } = request;
  await refuseUnknownTenant({ database, view }, tenantId);
  // As of an instant it is entries that are summed, and they need no folding.
  const fresh = asOf === null ? await foldBeforeReading(parts) : { batches_behind: 0 };
  const isWalled = view !== database;
  const question = { by, tenantId, month, from, to, isWalled, ...(asOf === null ? {} : { asOf }) };
  const [summed, elsewhere, exchanges] = await Promise.all([
    readUsageByDays(view, question, days),
    readReversedElsewhere(view, question),
    // A tenant sees no cost, and so not what it was converted by.
    isWalled ? [] : tellExchanges(database, question),
  ]);
  const rows = putBack(summed, by, elsewhere);
  const totals = totalsOf(rows);
  return {
    by,
    as_of: formatInstantOrNull(asOf),
    ...fresh,
    rows: rows.map(groupOf),
    totals: totals.map(toGroup),
    // What a tenant sees is all its own, and its totals say the same as another sum of it would.
    coverage: coverageOf(
      tenantId === null || isWalled ? totals.map(toCoverage) : await readCoverage(view, question),
    ),
    exchange_rates: exchanges,
  };
}

/** Puts back what reversals took off groups that have not what they reverse (R10). */
function putBack(
  rows: readonly UsageRow[],
  by: UsageRequest['by'],
  elsewhere: readonly ReversedElsewhere[],
): readonly UsageRow[] {
  if (elsewhere.length === 0) return rows;
  const dimensions = by.filter((name) => name !== 'layer');
  const reversed = Map.groupBy(elsewhere, (of) => JSON.stringify([of.currency, ...of.dimensions]));
  return rows.map((row) => {
    const named = dimensions.map((name) => row[name] ?? '');
    const own = reversed.get(JSON.stringify([row.currency, ...named]));
    return own === undefined ? row : own.reduce(putOneBack, row);
  });
}

function putOneBack(row: UsageRow, { ofOtherMonths, ofOtherKinds }: ReversedElsewhere): UsageRow {
  const { uncosted = 0, uncharged = 0 } = row.reversedOfOtherKinds ?? {};
  return {
    ...row,
    uncosted: row.uncosted + ofOtherMonths.uncosted,
    uncharged: row.uncharged + ofOtherMonths.uncharged,
    reversedOfOtherKinds: {
      uncosted: uncosted + ofOtherKinds.uncosted,
      uncharged: uncharged + ofOtherKinds.uncharged,
    },
  };
}

/** All groups together, for each currency: they are exact, and so is what they add up to. */
function totalsOf(rows: readonly UsageRow[]): readonly UsageRow[] {
  const byCurrency = [...Map.groupBy(rows, ({ currency }) => currency)];
  return byCurrency
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, groups]) => {
      // The layers of a group share its amounts out, and each of them counts all of its calls.
      const whole = groups.filter(({ layer = 'prompt' }) => layer === 'prompt');
      const sum = (of: (row: UsageRow) => bigint) => groups.reduce((all, row) => all + of(row), 0n);
      const count = (of: (row: UsageRow) => number) => whole.reduce((all, row) => all + of(row), 0);
      return {
        currency,
        entries: count(({ entries }) => entries),
        uncosted: count(({ uncosted }) => uncosted),
        uncharged: count(({ uncharged }) => uncharged),
        inputTokens: sum(({ inputTokens }) => inputTokens),
        outputTokens: sum(({ outputTokens }) => outputTokens),
        chargePico: sum(({ chargePico }) => chargePico),
        notDuePico: sum(({ notDuePico }) => notDuePico),
        costPico: sum(({ costPico }) => costPico),
        attributedCostPico: sum(({ attributedCostPico }) => attributedCostPico),
        uncostedChargePico: sum(({ uncostedChargePico }) => uncostedChargePico),
        unchargedCostPico: sum(({ unchargedCostPico }) => unchargedCostPico),
        routingGainPico: sum(({ routingGainPico }) => routingGainPico),
      };
    });
}

/** The coverage is that of all tenants, and the totals of all tenants say it. */
function toCoverage({ currency, attributedCostPico, costPico, uncosted }: UsageRow): Coverage {
  return { currency, attributedPico: attributedCostPico, allPico: costPico, uncosted };
}

async function tellExchanges(
  database: Parts['database'],
  question: UsageQuestion,
): Promise<UsageAnswer['exchange_rates']> {
  const found = await readExchangesUsed(database, question);
  return found.map(({ source, base, from, entries }) => ({
    source,
    base,
    effective_from: formatInstant(from),
    entries: Number(entries),
  }));
}

/** The rows of days that a server keeps are the same objects in the next answer, and most of what an answer takes. */
const GROUPS = new WeakMap<UsageRow, UsageGroup>();

function groupOf(row: UsageRow): UsageGroup {
  const known = GROUPS.get(row);
  if (known !== undefined) return known;
  const group = toGroup(row);
  GROUPS.set(row, group);
  return group;
}

function toGroup(row: UsageRow): UsageGroup {
  const { entries, inputTokens, outputTokens, costPico, routingGainPico, ...amounts } = row;
  const { chargePico, notDuePico, uncostedChargePico, unchargedCostPico, ...counts } = amounts;
  const { attributedCostPico: _, reversedOfOtherKinds: reversed, ...rest } = counts;
  const { uncosted: uncostedNet, uncharged: unchargedNet, ...named } = rest;
  const uncosted = uncostedNet + (reversed?.uncosted ?? 0);
  const uncharged = unchargedNet + (reversed?.uncharged ?? 0);
  const isKnown = uncosted === 0;
  const meteredPico = chargePico + notDuePico;
  return {
    ...named,
    entries,
    input_tokens: String(inputTokens),
    output_tokens: String(outputTokens),
    charge: formatPico(chargePico),
    not_due: formatPico(notDuePico),
    cost: isKnown ? formatPico(costPico) : null,
    margin: isKnown && uncharged === 0 ? formatPico(chargePico - costPico) : null,
    entries_without_cost: uncosted,
    entries_without_price: uncharged,
    known_cost: formatPico(costPico),
    known_margin: formatPico(chargePico - uncostedChargePico - (costPico - unchargedCostPico)),
    known_cost_share: percentOf(meteredPico - uncostedChargePico, meteredPico),
    routing_gain: formatPico(routingGainPico),
  };
}
