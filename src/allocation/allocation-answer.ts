import { z } from 'zod';
import {
  amountField,
  amountGiven,
  dayField,
  entryIdField,
  instantField,
  listOf,
  monthField,
  noteFields,
  percentField,
} from '../fields.ts';
import { BASES } from './consumption.ts';
import type { TokenWeights } from './token-weights.ts';
import { formatWeights, parseWeights } from './token-weights.ts';

/** What tokens weigh, written as input=1,cache_read=0.1,output=5. */
const weightsGiven = z.codec(z.string(), z.custom<TokenWeights>(), {
  decode: parseWeights,
  encode: formatWeights,
});

const basis = z.enum(BASES);

const poolFields = {
  pool: z.string(),
  /** The month in which the divided periods begin. */
  month: monthField,
};

export const allocateRequest = z.strictObject({
  ...poolFields,
  amount: amountGiven,
  /** Tenants in another currency have no share. */
  currency: z.string(),
  by: basis,
  /** It is null for the usual ones; only tokens are weighed. */
  weights: weightsGiven.nullable(),
  /** Whether the tenants are charged their shares, too. */
  billed: z.boolean(),
  /** Shows the shares and posts nothing. */
  dry_run: z.boolean(),
  ...noteFields,
});
export type AllocateRequest = z.output<typeof allocateRequest>;

export const reverseRequest = z.strictObject({ ...poolFields, ...noteFields });
export type ReverseRequest = z.output<typeof reverseRequest>;

export const poolRequest = z.strictObject(poolFields);
export type PoolKey = z.output<typeof poolRequest>;

const share = z.strictObject({
  tenant_id: z.string(),
  /** It is null where nothing was posted. */
  entry_id: entryIdField.nullable(),
  weight: z.string(),
  remainder_place: z.int(),
  cost: amountField,
  charge: amountField,
  period_start: dayField,
  late: z.boolean(),
  /** The explanation of how the share follows from the weights: the entry's own reason. */
  explanation: z.string(),
});
export type ShareRow = z.infer<typeof share>;

/** A pool and its shares; weights in the units of the basis. */
export const allocationAnswer = z.strictObject({
  /** `posted`, `reversed` and `duplicate` answer a command; `standing` and `reversed` a question. */
  state: z.enum(['posted', 'duplicate', 'dry_run', 'reversed', 'standing']),
  ...poolFields,
  amount: amountField,
  currency: z.string(),
  by: basis,
  weights: z.string().nullable(),
  weight_total: z.string(),
  billed: z.boolean(),
  ...noteFields,
  /** It is null where nothing was posted. */
  recorded_at: instantField.nullable(),
  shares: listOf(share),
  /** These say who used something and has no share, and what else there is to know. */
  notes: listOf(z.string()),
});
export type AllocationAnswer = z.infer<typeof allocationAnswer>;

export const poolsRequest = z.strictObject({
  /** It is null for every month. */
  month: monthField.nullable(),
});
export type PoolsRequest = z.output<typeof poolsRequest>;

export const poolsAnswer = listOf(
  z.strictObject({
    ...poolFields,
    state: z.enum(['standing', 'reversed']),
    amount: amountField,
    currency: z.string(),
    by: basis,
    billed: z.boolean(),
  }),
);
export type PoolsAnswer = z.infer<typeof poolsAnswer>;

export const backtestRequest = z.strictObject({
  month: monthField,
  /** The usage is that in this currency only. */
  currency: z.string(),
  /** What is divided; null for what the entries cost. */
  amount: amountGiven.nullable(),
  /** It is null for the usual ones. */
  weights: weightsGiven.nullable(),
});
export type BacktestRequest = z.output<typeof backtestRequest>;

/** One way to divide the pool, and how far it is from direct attribution. */
const candidate = z.strictObject({
  by: basis,
  /** The weights are written as `allocate --weight` reads them; null where tokens are not weighed. */
  weights: z.string().nullable(),
  /** These weights were found to diverge least. */
  fitted: z.boolean(),
  /** What another tenant bears than the one that caused it: half the sum of all divergences. */
  misallocated: amountField,
  /** The percentage is of the amount. */
  misallocated_percent: percentField,
  /** Root of the mean of the squared divergences, rounded down to a picodollar. */
  rms: amountField,
});

/** One tenant in every division. */
const backtestRow = z.strictObject({
  tenant_id: z.string(),
  direct: amountField,
  /** The shares stand in the order of the candidates. */
  shares: listOf(
    z.strictObject({
      share: amountField,
      divergence: amountField,
      /** The percentage is of the direct amount; null where that is nothing. */
      divergence_percent: percentField.nullable(),
    }),
  ),
});
export type BacktestRow = z.infer<typeof backtestRow>;

/** A back-test sets direct attribution beside each allocation of the same amount. */
export const backtestAnswer = z.strictObject({
  month: monthField,
  currency: z.string(),
  amount: amountField,
  candidates: listOf(candidate),
  tenants: listOf(backtestRow),
  /** What to know before the figures are trusted. */
  notes: listOf(z.string()),
});
export type BacktestAnswer = z.infer<typeof backtestAnswer>;
