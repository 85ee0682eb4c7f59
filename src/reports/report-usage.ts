import { formatInstant, formatInstantOrNull } from '../clock.ts';
import { foldAll } from '../ledger/rollups/fold-batches.ts';
import { formatPico } from '../money.ts';
import type { Parts } from '../parts.ts';
import { refuseUnknownTenant } from './asked-tenant.ts';
import { coverageOf } from './coverage.ts';
import { readExchangesUsed } from './exchanges-used-store.ts';
import { percentOf } from './percent.ts';
import type { UsageAnswer, UsageGroup, UsageRequest } from './usage-answer.ts';
import type { UsageQuestion, UsageRow } from './usage-report-store.ts';
import { readCoverage, readUsageReport } from './usage-report-store.ts';

/** Reports usage, charge, cost and margin by any dimensions, with the coverage of the same days. */
export async function reportUsage(
  { database, clock, view = database }: Pick<Parts, 'database' | 'clock' | 'view'>,
  request: UsageRequest,
): Promise<UsageAnswer> {
  const { by, tenant_id: tenantId, month, from, to, as_of: asOf } = request;
  await refuseUnknownTenant({ database, view }, tenantId);
  // As of an instant it is entries that are summed, and they need no folding.
  if (asOf === null) await foldAll(database, clock);
  const question = { by, tenantId, month, from, to, ...(asOf === null ? {} : { asOf }) };
  return {
    by,
    as_of: formatInstantOrNull(asOf),
    rows: (await readUsageReport(view, question)).map(toGroup),
    totals: (await readUsageReport(view, { ...question, by: [] })).map(toGroup),
    coverage: coverageOf(await readCoverage(view, question)),
    // A tenant sees no cost, and so not what it was converted by.
    exchange_rates: view === database ? await tellExchanges(database, question) : [],
  };
}

async function tellExchanges(
  database: Parts['database'],
  question: UsageQuestion,
): Promise<UsageAnswer['exchange_rates']> {
  const found = await readExchangesUsed(database, question);
  return found.map(({ source, base, from, entries }) => ({
    ...{ source, base, effective_from: formatInstant(from), entries: Number(entries) },
  }));
}

function toGroup(row: UsageRow): UsageGroup {
  const { entries, inputTokens, outputTokens, costPico, routingGainPico, ...amounts } = row;
  const { chargePico, notDuePico, uncosted, uncostedChargePico, ...named } = amounts;
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
    margin: isKnown ? formatPico(chargePico - costPico) : null,
    entries_without_cost: uncosted,
    known_cost: formatPico(costPico),
    known_margin: formatPico(chargePico - uncostedChargePico - costPico),
    known_cost_share: percentOf(meteredPico - uncostedChargePico, meteredPico),
    routing_gain: formatPico(routingGainPico),
  };
}
