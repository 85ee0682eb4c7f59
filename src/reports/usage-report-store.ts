import { sql } from 'kysely';
import { formatInstant, type InstantMs, utcDay } from '../clock.ts';
import type { Database } from '../database/database.ts';
import {
  ENTRY_DIMENSIONS,
  MEASURES,
  RATES_OF_ENTRIES,
  WALLED_CHARGES_BY_LAYER,
} from '../ledger/rollups/rollup-store.ts';
import type { Pico } from '../money.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import type { Dimension } from './usage-answer.ts';

export interface UsageQuestion {
  readonly by: readonly Dimension[];
  readonly tenantId: string | null;
  /** The month in which the periods begin; absent or null for any. */
  readonly month?: string | null;
  /** Whole UTC days, half-open. */
  readonly from: InstantMs | null;
  readonly to: InstantMs | null;
  /** What the ledger said at this instant; absent for now. */
  readonly asOf?: InstantMs;
  /** Set where the database is what a tenant sees of it; rates are not among that. */
  readonly isWalled?: boolean;
}

/**
 * One group in one currency, since amounts of two are never added. A dimension is null where usage
 * carries none, and absent where it was not asked for.
 */
export type UsageRow = Partial<Readonly<Record<Dimension, string | null>>> & {
  readonly currency: string;
  readonly entries: number;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  /** What is due, as statements have it. */
  readonly chargePico: Pico;
  /** What is metered beside it and billed nowhere, of months that were closed in shadow (R19). */
  readonly notDuePico: Pico;
  /** The sum of the costs that are known. */
  readonly costPico: Pico;
  /** How much of it belongs to a known tenant (R11); of layers, the prompt has all of it. */
  readonly attributedCostPico: Pico;
  /** Entries whose cost nobody knows, and what they charge. */
  readonly uncosted: number;
  readonly uncostedChargePico: Pico;
  /** Entries that wait for a price or for their usage, and what is known of their cost. */
  readonly uncharged: number;
  readonly unchargedCostPico: Pico;
  /** Positive where fallbacks were cheaper than the models requested (R4). */
  readonly routingGainPico: Pico;
  /**
   * What reversals of another kind than what they reverse take off the two counts: nothing in their own group, and all
   * of it where both kinds are in one. Absent is nothing.
   */
  readonly reversedOfOtherKinds?: Pick<UsageRow, 'uncosted' | 'uncharged'>;
};

export const COLUMNS: Readonly<Record<Exclude<Dimension, 'layer'>, string>> = {
  tenant: 'tenant_id',
  user: 'user_id',
  feature: 'feature',
  agent_run: 'agent_run_id',
  prompt_version: 'prompt_version',
  requested_model: 'requested_model',
  executed_model: 'executed_model',
  provider: 'provider',
  outcome: 'outcome',
  kind: 'kind',
  day: 'day',
};

export interface SummedRow {
  readonly dimensions: readonly string[];
  readonly currency: string;
  readonly entries: bigint;
  readonly input_tokens: bigint;
  readonly output_tokens: bigint;
  readonly charge: Pico;
  readonly not_due: Pico;
  readonly cost: Pico;
  readonly attributed_cost: Pico;
  readonly routing_gain: Pico;
  readonly uncosted: bigint;
  readonly uncosted_charge: Pico;
  readonly uncharged: bigint;
  readonly uncharged_cost: Pico;
}

/** What is summed where layers are asked for, and only there. */
interface LayeredRow extends SummedRow {
  readonly tool_tokens: bigint;
  readonly memory_tokens: bigint;
  readonly layered_input_tokens: bigint;
  readonly layered_output_tokens: bigint;
  readonly tool_charge: Pico;
  readonly tool_cost: Pico;
  readonly memory_charge: Pico;
  readonly memory_cost: Pico;
  readonly output_charge: Pico;
  readonly output_cost: Pico;
  readonly other_charge: Pico;
  readonly other_cost: Pico;
}

/**
 * Sums rollups, the smallest one that knows what is asked for. They have no history, so as of an earlier instant the
 * same sums are made of entries.
 */
export async function readUsageReport(
  database: Database,
  question: UsageQuestion,
): Promise<readonly UsageRow[]> {
  const dimensions = question.by.filter((dimension) => dimension !== 'layer');
  const named = ({ dimensions: values }: SummedRow) => nameDimensions(dimensions, values);
  if (question.by.includes('layer')) {
    const rows = await sumUsage<LayeredRow>(database, question, {
      dimensions,
      further: LAYER_SUMS,
    });
    return rows.flatMap((row) => splitLayers(row, named(row)));
  }
  const rows = await sumUsage<SummedRow>(database, question, { dimensions, further: sql`` });
  return rows.map((row) => toUsage(row, named(row)));
}

const LAYER_SUMS = sql`,
  sum(tool_tokens) as tool_tokens, sum(memory_tokens) as memory_tokens,
  sum(layered_input_tokens) as layered_input_tokens, sum(layered_output_tokens) as layered_output_tokens,
  sum(tool_charge) as tool_charge, sum(tool_cost) as tool_cost, sum(memory_charge) as memory_charge,
  sum(memory_cost) as memory_cost, sum(output_charge) as output_charge,
  sum(output_cost) as output_cost, sum(other_charge) as other_charge, sum(other_cost) as other_cost`;

/** It groups by the columns themselves: hashing an array of texts for each row takes a quarter of the time. */
async function sumUsage<Row extends SummedRow>(
  database: Database,
  question: UsageQuestion,
  of: {
    readonly dimensions: readonly Exclude<Dimension, 'layer'>[];
    readonly further: ReturnType<typeof sql>;
  },
): Promise<readonly Row[]> {
  const columns = of.dimensions.map((dimension) => COLUMNS[dimension]);
  const rollup = rollupFor(of.dimensions, question.tenantId);
  const { rows } = await sql<Row>`
    select ${dimensionsOf(columns)}, currency, ${sumsOf(rollup)} ${of.further}
    from ${sourceOf(rollup, question)}
    where ${filterOf(question)}
    group by ${sql.raw([...columns, 'currency'].join(', '))} order by 1, 2`.execute(
    database.kysely,
  );
  return rows;
}

export function dimensionsOf(columns: readonly string[]) {
  const texts = columns.map((column) => `${column}::text`).join(', ');
  return sql`array[${sql.raw(texts)}]::text[] as dimensions`;
}

export function sumsOf(rollup: Rollup) {
  return sql`
    sum(entries)::bigint as entries, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
    sum(charge) as charge, sum(not_due_charge) as not_due, sum(cost) as cost,
    ${attributedCostOf(rollup)} as attributed_cost, sum(routing_gain) as routing_gain,
    sum(uncosted)::bigint as uncosted, sum(uncosted_charge) as uncosted_charge,
    sum(uncharged)::bigint as uncharged, sum(uncharged_cost) as uncharged_cost`;
}

export type Rollup = 'ledger_rollups' | 'usage_rollups' | 'run_rollups';

/** Users and runs are in the finest one alone; the coarsest one knows no tenants, and no versions of prompts. */
export function rollupFor(dimensions: readonly Dimension[], tenantId: string | null): Rollup {
  if (dimensions.includes('user') || dimensions.includes('agent_run')) return 'run_rollups';
  const isOfAll = !(dimensions.includes('tenant') || dimensions.includes('prompt_version'));
  return tenantId === null && isOfAll ? 'ledger_rollups' : 'usage_rollups';
}

export function attributedCostOf(rollup: Rollup) {
  const isAttributed =
    rollup === 'ledger_rollups' ? sql`is_attributed` : sql`tenant_id <> ${UNATTRIBUTED}`;
  return sql`coalesce(sum(cost) filter (where ${isAttributed}), 0)`;
}

/** The rollup, or the entries that were known at the instant, each with the columns of a rollup. */
export function sourceOf(rollup: Rollup, { by, asOf, isWalled }: Omit<UsageQuestion, 'tenantId'>) {
  if (asOf === undefined) return sql.table(rollup);
  const { join, shares } = sharesOfEntries(by.includes('layer'), isWalled === true);
  const columns = [
    ...ENTRY_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`),
    ...MEASURES.map(({ name, each }) => `coalesce(${shares[name] ?? each}, 0) as ${name}`),
  ];
  return sql`(
    select ${sql.raw(columns.join(', '))} from entries e ${sql.raw(join)}
    where e.recorded_at <= ${formatInstant(asOf)}) as_of`;
}

/**
 * What layers share out is not in an entry, and comes from the rates of its versions. Behind the wall there are no
 * rates, and no costs: a view has what is of charges. Where no layer is asked for, nobody looks at it.
 */
function sharesOfEntries(
  byLayer: boolean,
  isWalled: boolean,
): { readonly join: string; readonly shares: Readonly<Record<string, string>> } {
  const nothing = Object.fromEntries(SHARED_OUT.map((name) => [name, '0']));
  if (!byLayer) return { join: '', shares: nothing };
  if (!isWalled) return { join: RATES_OF_ENTRIES, shares: {} };
  const { join, charges } = WALLED_CHARGES_BY_LAYER;
  return { join, shares: { ...nothing, ...charges } };
}

/** The measures that rates have a part in. */
const SHARED_OUT = ['tool', 'memory', 'output', 'other'].flatMap((layer) => [
  `${layer}_charge`,
  `${layer}_cost`,
]);

/**
 * Returns the condition that picks the rows of a question, of whatever has a tenant, a period and a
 * day.
 */
export function filterOf(question: UsageQuestion) {
  const { tenantId, from, to } = question;
  const first = question.month == null ? null : `${question.month}-01`;
  return sql<boolean>`true
    ${tenantId === null ? sql`` : sql`and tenant_id = ${tenantId}`}
    ${first === null ? sql`` : sql`and period_start >= ${first}::date and period_start < ${first}::date + interval '1 month'`}
    ${from === null ? sql`` : sql`and day >= ${utcDay(from)}::date`}
    ${to === null ? sql`` : sql`and day < ${utcDay(to)}::date`}`;
}

type Named = Partial<Record<Dimension, string | null>>;

export function nameDimensions(dimensions: readonly Dimension[], values: readonly string[]): Named {
  const entries = dimensions.map((name, index) => [name, values[index] || null] as const);
  return Object.fromEntries(entries);
}

export function toUsage(row: SummedRow, named: Named): UsageRow {
  return {
    ...named,
    currency: row.currency,
    entries: Number(row.entries),
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    chargePico: row.charge - row.not_due,
    notDuePico: row.not_due,
    costPico: row.cost,
    attributedCostPico: row.attributed_cost,
    uncosted: Number(row.uncosted),
    uncostedChargePico: row.uncosted_charge,
    uncharged: Number(row.uncharged),
    unchargedCostPico: row.uncharged_cost,
    routingGainPico: row.routing_gain,
  };
}

/**
 * Tells the token layers of a group, which are the sums of what its calls' own layers come to: what is left over of the
 * whole is the prompt's. `other` is all of which no layer is given: calls without layers, fees, what is no token, and
 * amounts without a call, as on a statement; what is not due stands there, too. What charges without a known cost has one
 * charge, and is shared out by it, and so is the cost of what waits for a price. A routing gain belongs to the call as
 * a whole and stays with the prompt.
 */
function splitLayers(row: LayeredRow, named: Named): readonly UsageRow[] {
  const partOf = (amount: Pico, part: Pico, whole: Pico) =>
    whole === 0n ? 0n : (amount * part) / whole;
  const due = row.charge - row.not_due;
  const layer = (name: string, of: LayerSums): UsageRow => ({
    ...named,
    layer: name,
    currency: row.currency,
    entries: Number(row.entries),
    inputTokens: of.input ?? 0n,
    outputTokens: of.output ?? 0n,
    chargePico: of.charge,
    notDuePico: 0n,
    costPico: of.cost,
    attributedCostPico: 0n,
    uncosted: Number(row.uncosted),
    uncostedChargePico: partOf(row.uncosted_charge, of.charge, due),
    uncharged: Number(row.uncharged),
    unchargedCostPico: partOf(row.uncharged_cost, of.cost, row.cost),
    routingGainPico: 0n,
  });
  const input = { tool: row.tool_tokens, memory: row.memory_tokens };
  const others = [
    layer('tool', { input: input.tool, charge: row.tool_charge, cost: row.tool_cost }),
    layer('memory', { input: input.memory, charge: row.memory_charge, cost: row.memory_cost }),
    layer('response', {
      output: row.layered_output_tokens,
      charge: row.output_charge,
      cost: row.output_cost,
    }),
    {
      ...layer('other', {
        input: row.input_tokens - row.layered_input_tokens,
        output: row.output_tokens - row.layered_output_tokens,
        charge: row.other_charge,
        cost: row.other_cost,
      }),
      notDuePico: row.not_due,
    },
  ];
  const left = (all: bigint, of: (row: UsageRow) => bigint) =>
    others.reduce((rest, other) => rest - of(other), all);
  const prompt: UsageRow = {
    ...layer('prompt', { charge: 0n, cost: 0n }),
    inputTokens: row.layered_input_tokens - input.tool - input.memory,
    chargePico: left(due, ({ chargePico }) => chargePico),
    costPico: left(row.cost, ({ costPico }) => costPico),
    attributedCostPico: row.attributed_cost,
    uncostedChargePico: left(row.uncosted_charge, ({ uncostedChargePico }) => uncostedChargePico),
    unchargedCostPico: left(row.uncharged_cost, ({ unchargedCostPico }) => unchargedCostPico),
    routingGainPico: row.routing_gain,
  };
  return [prompt, ...others];
}

interface LayerSums {
  readonly input?: bigint;
  readonly output?: bigint;
  readonly charge: Pico;
  readonly cost: Pico;
}
