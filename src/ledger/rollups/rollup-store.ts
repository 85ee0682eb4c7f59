import type { Transaction } from '../../database/database.ts';
import { ENTRIES_OF_BATCH, entriesOfBatch } from '../../database/entries-of-batch.ts';
import { UNATTRIBUTED } from '../../rating/rate-event.ts';
import { COST_EXCHANGE } from '../entries/entry.ts';
import { IS_WAITING } from '../entries/waiting.ts';

/**
 * Adds the entries of whole batches to all rollups. They are read and summed once, by user and run;
 * each coarser rollup sums the sums of the one before. Left to itself Postgres would sort the entries by all their
 * texts, on disk; hashing them in memory costs two thirds of that.
 */
export async function foldBatches(
  transaction: Transaction,
  batchIds: readonly bigint[],
): Promise<void> {
  const { client } = transaction;
  const { rows } = await client.query<{ is_distributed: boolean }>(
    `select set_config('enable_sort', 'off', true), set_config('work_mem', '64MB', true),
       set_config('jit', 'off', true), is_distributed('run_usage')`,
  );
  const values = [batchIds];
  if (rows[0]?.is_distributed !== true) {
    await client.query({ name: 'fold-batches', text: FOLD, values });
    return;
  }
  // No statement writes on the coordinator and on shards at once: each shard gets what it is to add of a table of the session.
  await client.query(
    `create temporary table if not exists ${FOLDING} (like run_usage including defaults) on commit delete rows`,
  );
  await client.query({ name: 'fold-beside-runs', text: FOLD_BESIDE_RUNS, values });
  await client.query({ name: 'fold-runs', text: FOLD_RUNS });
}

/** A column of a rollup, and the expression over entries that gives it. */
interface RollupColumn {
  readonly name: string;
  readonly of: string;
}

const DIMENSIONS: readonly RollupColumn[] = [
  { name: 'tenant_id', of: 'e.tenant_id' },
  { name: 'period_start', of: 'e.period_start' },
  { name: 'day', of: "(e.occurred_at at time zone 'UTC')::date" },
  { name: 'kind', of: 'e.kind' },
  { name: 'outcome', of: 'e.outcome' },
  { name: 'late', of: 'e.late' },
  { name: 'provider', of: "coalesce(e.provider, '')" },
  { name: 'requested_model', of: 'e.requested_model' },
  { name: 'executed_model', of: 'e.executed_model' },
  { name: 'feature', of: "coalesce(e.feature, '')" },
  { name: 'prompt_version', of: "coalesce(e.prompt_version, '')" },
  { name: 'currency', of: 'e.currency' },
];

const INPUT_TOKENS = `e.uncached_input_tokens + e.cache_read_tokens + e.cache_write_tokens
      + units_within(e.units, 'input')`;

const IS_UNCHARGED = `e.${IS_WAITING}`;

const HAS_LAYERS = 'e.layer_prompt_tokens is not null';

/** Filters for measures that few entries add to; the others skip the sum, and a group of them keeps no state for it. */
const ADDED_TO_WHERE: Readonly<Record<string, string>> = {
  tool_tokens: HAS_LAYERS,
  memory_tokens: HAS_LAYERS,
  not_due_charge: 'e.not_due',
  layered_input_tokens: HAS_LAYERS,
  layered_output_tokens: HAS_LAYERS,
  tool_charge: HAS_LAYERS,
  memory_charge: HAS_LAYERS,
  output_charge: HAS_LAYERS,
  tool_cost: HAS_LAYERS,
  memory_cost: HAS_LAYERS,
  output_cost: HAS_LAYERS,
  uncosted: 'e.cost is null',
  uncosted_charge: 'e.cost is null',
  uncharged: IS_UNCHARGED,
  uncharged_cost: IS_UNCHARGED,
};

/** Returns the sum of a measure over entries, which is null where none adds to it. */
function sumOf(name: string, each: string): string {
  const where = ADDED_TO_WHERE[name];
  return `sum(${each})${where === undefined ? '' : ` filter (where ${where})`}`;
}

/** An amount of an entry that its layers share out: its output, and its fees and what is no token, by its rate. */
interface LayeredAmount {
  readonly all: string;
  readonly output: string;
  readonly other: string;
}

/**
 * The factor and the output rate of a charge. They stand in the sums themselves: of a table beside shards, Citus hands on
 * the columns alone that the statement's own level names, and null for what a lateral join asks for.
 */
const CHARGE_FACTOR = `case when r.book <> b.book then coalesce(b.cost_factor, b.base_factor, 1000000) else 1000000 end`;
const CHARGED_OUTPUT = `floor((2 * r.output * (${CHARGE_FACTOR}) + 1000000) / 2000000)`;

/** What is not due is billed nowhere, and is told beside what layers come to. */
const OF_CHARGE: LayeredAmount = {
  all: 'case when e.not_due is null then e.charge end',
  output: `coalesce(e.output_tokens * ${CHARGED_OUTPUT}, 0) + output_units_amount(e.units, r.units, ${CHARGE_FACTOR})`,
  other: `case when e.charge_rate_id is null then e.charge
    when r.per_call <> 0 or e.units is not null then round(r.per_call * (${CHARGE_FACTOR}) / 1000000000000) * e.call_share
      + other_units_amount(e.units, r.units, ${CHARGE_FACTOR}) else 0 end`,
};

const OF_COST: LayeredAmount = {
  all: 'e.cost',
  output: converted(
    `coalesce(e.output_tokens * k.output, 0) + output_units_amount(e.units, k.units, 1000000)`,
  ),
  other: `case when e.cost_rate_id is null then e.cost
    when k.per_call <> 0 or e.units is not null then ${converted(`div(k.per_call, 1000000) * e.call_share
      + other_units_amount(e.units, k.units, 1000000)`)} else 0 end`,
};

/**
 * Returns what of an entry's amount is of tools, of memory, of its output, and of no layer at all; the rest is the
 * prompt's. Without layers nothing is told apart. Input that has its own price for some of its units is shared by
 * tokens, and cut to a whole number towards zero, so that a reversal takes back what it reverses.
 */
function layerAmounts({ all, output, other }: LayeredAmount, ending: string) {
  const isShared = `e.layer_prompt_tokens is not null and (${all}) <> 0`;
  const shareOf = (tokens: string) =>
    `case when ${tokens} <> 0 and (${all}) <> 0
      then div(((${all}) - (${output}) - (${other})) * ${tokens}, nullif(${INPUT_TOKENS}, 0)) end`;
  return {
    [`tool${ending}`]: shareOf('e.layer_tool_tokens'),
    [`memory${ending}`]: shareOf('e.layer_memory_tokens'),
    [`output${ending}`]: `case when ${isShared} then ${output} end`,
    [`other${ending}`]: `case when ${isShared} then ${other} else ${all} end`,
  };
}

const LAYER_CHARGES = layerAmounts(OF_CHARGE, '_charge');

/** A number that a rollup sums, and what it is of one entry; null counts as nothing. */
export interface RollupMeasure extends RollupColumn {
  readonly each: string;
}

/** The one measure that is a map: every unit beside text tokens, null where there is none. */
export const UNITS_MEASURE: RollupColumn = { name: 'units', of: 'sum_units(e.units)' };

export const MEASURES: readonly RollupMeasure[] = [
  { name: 'entries', each: '1', of: 'count(*)' },
  ...Object.entries({
    input_tokens: INPUT_TOKENS,
    cache_read_tokens: "e.cache_read_tokens + units_within(e.units, 'cache_read')",
    cache_write_tokens: "e.cache_write_tokens + units_within(e.units, 'cache_write')",
    output_tokens: "e.output_tokens + units_within(e.units, 'output')",
    tool_tokens: 'e.layer_tool_tokens',
    memory_tokens: 'e.layer_memory_tokens',
    charge: 'e.charge',
    // What of the charge belongs to a month that was closed in shadow, and is billed nowhere.
    not_due_charge: 'case when e.not_due then e.charge end',
    cost: 'e.cost',
    // What has layers has all four. A call without them passes a comparison for each.
    layered_input_tokens: `case when e.layer_prompt_tokens is not null then ${INPUT_TOKENS} end`,
    layered_output_tokens: `case when e.layer_prompt_tokens is not null
      then e.output_tokens + units_within(e.units, 'output') end`,
    ...LAYER_CHARGES,
    ...layerAmounts(OF_COST, '_cost'),
    routing_gain: 'e.requested_cost - e.cost',
    // An entry whose cost nobody knows; its reversal takes it back. An adjustment has no call behind it.
    uncosted: `case when e.cost is null and e.kind <> 'adjustment'
      then case when e.is_reversal then -1 else 1 end end`,
    uncosted_charge: "case when e.cost is null and e.kind <> 'adjustment' then e.charge end",
    // An entry that waits for a price or for its usage, which is no charge of zero.
    uncharged: `case when ${IS_UNCHARGED} then case when e.is_reversal then -1 else 1 end end`,
    uncharged_cost: `case when ${IS_UNCHARGED} then e.cost end`,
  }).map(([name, each]) => ({ name, each, of: `coalesce(${sumOf(name, each)}, 0)` })),
];

/**
 * Returns a part of a cost in the currency of its entry, where the whole was converted. The
 * condition stands here, since an argument that is dear and used twice keeps a function from being
 * inlined.
 */
function converted(paid: string): string {
  return `case when e.further_tags ? '${COST_EXCHANGE}' then amount_by_rates(${paid},
        e.further_tags ->> '${COST_EXCHANGE}', e.cost_book, e.cost_version, e.currency) else ${paid} end`;
}

/** Returns the key of a rate for entries with layers alone: for others none is asked for, and nothing is reckoned with it. */
function ofLayered(key: string): string {
  return `case when ${HAS_LAYERS} then ${key} end`;
}

/** The rates by which output was charged; a factor or a discount is in it. */
const CHARGE_RATES_OF_ENTRIES = `
  left join price_rates r on r.rate_id = ${ofLayered('e.charge_rate_id')}
  left join price_books b on b.book = ${ofLayered('e.charge_book')} and b.effective_from = e.charge_version`;

/** The rates by which output was charged and paid. */
export const RATES_OF_ENTRIES = `${CHARGE_RATES_OF_ENTRIES}
  left join price_rates k on k.rate_id = ${ofLayered('e.cost_rate_id')}`;

/** What of the charge of an entry `e` is of which layer, and what is to be joined for that; null counts as nothing. */
export interface ChargesByLayer {
  readonly join: string;
  readonly charges: Readonly<Record<string, string>>;
}

export const CHARGES_BY_LAYER: ChargesByLayer = {
  join: CHARGE_RATES_OF_ENTRIES,
  charges: LAYER_CHARGES,
};

/** Behind the wall there are no rates; a view has what they come to. */
export const WALLED_CHARGES_BY_LAYER: ChargesByLayer = {
  join: 'left join charge_shares s on s.entry_id = e.entry_id',
  charges: Object.fromEntries(Object.keys(LAYER_CHARGES).map((name) => [name, `s.${name}`])),
};

const RUN_DIMENSIONS: readonly RollupColumn[] = [
  { name: 'user_id', of: "coalesce(e.user_id, '')" },
  { name: 'agent_run_id', of: "coalesce(e.agent_run_id, '')" },
];

/** Everything that any rollup is grouped by, as an entry has it. */
export const ENTRY_DIMENSIONS: readonly RollupColumn[] = [
  ...DIMENSIONS,
  ...RUN_DIMENSIONS,
  { name: 'is_attributed', of: `e.tenant_id <> '${UNATTRIBUTED}'` },
];

/** The two grains of the rollups of tenants; the finer one knows users and agent runs too. */
export const ROLLUPS: readonly {
  readonly table: 'usage_rollups' | 'run_rollups';
  readonly dimensions: readonly RollupColumn[];
}[] = [
  { table: 'usage_rollups', dimensions: DIMENSIONS },
  { table: 'run_rollups', dimensions: [...DIMENSIONS, ...RUN_DIMENSIONS] },
];

/** Dimensions that the rollup of the whole ledger has as those of tenants have them. */
const SHARED_WITH_LEDGER: ReadonlySet<string> = new Set([
  ...['period_start', 'day', 'kind', 'outcome', 'provider', 'requested_model', 'executed_model'],
  ...['feature', 'currency'],
]);

/**
 * The third grain knows no tenants, and so has as few rows for ten thousand of them as for one. It is made of
 * the rows of `usage_rollups`, and these are its dimensions over them.
 */
export const LEDGER_DIMENSIONS: readonly RollupColumn[] = [
  ...DIMENSIONS.filter(({ name }) => SHARED_WITH_LEDGER.has(name)).map(({ name }) => ({
    name,
    of: name,
  })),
  { name: 'is_attributed', of: `tenant_id <> '${UNATTRIBUTED}'` },
];

/**
 * Entries of `e` by the version of exchange rates `v` that converted their cost, which stands with an entry alone. A
 * rollup of tenants and one of the whole ledger count them apart from the others: most ledgers convert nothing.
 */
export const EXCHANGES_OF_ENTRIES = `
  join exchange_versions v on v.version_id::text = e.further_tags ->> '${COST_EXCHANGE}'`;

/** The dimensions of `exchange_rollups`, over entries; those of `ledger_exchange_rollups` are the same without tenants. */
export const EXCHANGE_DIMENSIONS: readonly RollupColumn[] = [
  ...DIMENSIONS.filter(({ name }) => ['tenant_id', 'period_start', 'day'].includes(name)),
  { name: 'version_id', of: 'v.version_id' },
];

/** What stands in the key of `ledger_rollups` for the dimensions that do not stand there themselves. */
export const LEDGER_KEY = `md5(row(${namesOf(unkeyed(LEDGER_DIMENSIONS))})::text)::uuid`;

/** Returns the dimensions that do not stand in the keys themselves; a digest of them all stands there. */
function unkeyed(columns: readonly RollupColumn[]): readonly RollupColumn[] {
  return columns.filter(({ name }) => !['tenant_id', 'period_start', 'day'].includes(name));
}

/** The sums of entries that the fold goes on summing, and how a rollup has them: null, where none adds anything, is zero. */
const SUMS = MEASURES.map(({ name, each, of }) => ({
  name,
  of: name === 'entries' ? of : sumOf(name, each),
}));
const MEASURED = MEASURES.map(({ name }) => `coalesce(${name}, 0)`).join(', ');

/** Lives with the session, and is empty between folds. */
const FOLDING = 'folding_runs';

const KEY_OF_RUNS = 'tenant_id, period_start, day, usage_key, agent_run_id, user_id';
const COLUMNS_OF_RUNS = `${KEY_OF_RUNS}, ${namesOf([...MEASURES, UNITS_MEASURE])}`;
const RUNS_OF_FOLD = `select ${KEY_OF_RUNS}, ${MEASURED}, units from keyed`;

const FOLD = foldStatement(addedToRuns(RUNS_OF_FOLD));
const FOLD_BESIDE_RUNS = foldStatement(
  `insert into pg_temp.${FOLDING} (${COLUMNS_OF_RUNS}) ${RUNS_OF_FOLD}`,
);
const FOLD_RUNS = addedToRuns(`select ${COLUMNS_OF_RUNS} from pg_temp.${FOLDING}`);

function addedToRuns(runs: string): string {
  return `insert into run_usage as r (${COLUMNS_OF_RUNS}) ${runs}
    on conflict (${KEY_OF_RUNS}) do update set ${added('r')}, ${unitsAdded('r')}`;
}

function added(table: string): string {
  return MEASURES.map(({ name }) => `${name} = ${table}.${name} + excluded.${name}`).join(', ');
}

function unitsAdded(table: string): string {
  return `units = coalesce(add_units(${table}.units, excluded.units), ${table}.units, excluded.units)`;
}

/** The statement that reads the entries once and adds them to all rollups; the finest comes last. */
function foldStatement(ofRuns: string): string {
  const grouped = [...DIMENSIONS, ...RUN_DIMENSIONS];
  const columns = [...grouped, ...SUMS, UNITS_MEASURE];
  const dimensions = namesOf(DIMENSIONS);
  const measures = namesOf([...MEASURES, UNITS_MEASURE]);
  const sums = MEASURES.map(
    ({ name }) => `sum(${name}) filter (where ${name} is not null) as ${name}`,
  ).join(', ');
  const ofLedger = namesOf(LEDGER_DIMENSIONS);
  return `with run as (
      select ${columns.map(({ name, of }) => `${of} as ${name}`).join(', ')}
      from unnest($1::bigint[]) batch(batch_id)
      ${ENTRIES_OF_BATCH}
      ${RATES_OF_ENTRIES}
      group by ${grouped.map((_, index) => index + 1).join(', ')}
    ), keyed as materialized (
      select *, md5(row(${namesOf(unkeyed(DIMENSIONS))})::text)::uuid as usage_key from run
    ), usage as materialized (
      select ${dimensions}, usage_key, ${sums}, sum_units(units) as units
      from keyed group by ${dimensions}, usage_key
    ), of_tenants as (
      insert into usage_rollups as u (${dimensions}, usage_key, ${measures})
      select ${dimensions}, usage_key, ${MEASURED}, units from usage
      on conflict (tenant_id, period_start, day, usage_key) do update set ${added('u')}, ${unitsAdded('u')}
    ), of_ledger as (
      insert into ledger_rollups as l (${ofLedger}, ledger_key, ${namesOf(MEASURES)})
      select ${ofLedger}, ${LEDGER_KEY}, ${MEASURED} from (
        select ${LEDGER_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`).join(', ')}, ${sums}
        from usage group by ${LEDGER_DIMENSIONS.map((_, index) => index + 1).join(', ')}) s
      on conflict (period_start, day, ledger_key) do update set ${added('l')}
    ), ${exchangesFolded()}
    ${ofRuns}`;
}

/**
 * The entries are passed a second time, and only where there are rates to convert by. The condition is not that of the
 * index on converted entries, which would be read from its beginning for each batch.
 */
function exchangesFolded(): string {
  const names = namesOf(EXCHANGE_DIMENSIONS);
  const ofLedger = namesOf(EXCHANGE_DIMENSIONS.slice(1));
  return `exchanged as materialized (
      select ${EXCHANGE_DIMENSIONS.map(({ name, of }) => `${of} as ${name}`).join(', ')}, count(*) as entries
      from unnest($1::bigint[]) batch(batch_id)
      ${entriesOfBatch(`further_tags ->> '${COST_EXCHANGE}' is not null`)}
      ${EXCHANGES_OF_ENTRIES}
      where exists (select from exchange_versions)
      group by 1, 2, 3, 4
    ), exchanged_of_tenants as (
      insert into exchange_rollups as x (${names}, entries) select ${names}, entries from exchanged
      on conflict (${names}) do update set entries = x.entries + excluded.entries
    ), exchanged_of_ledger as (
      insert into ledger_exchange_rollups as x (${ofLedger}, entries)
      select ${ofLedger}, sum(entries)::bigint from exchanged group by ${ofLedger}
      on conflict (${ofLedger}) do update set entries = x.entries + excluded.entries
    )`;
}

function namesOf(columns: readonly RollupColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}
