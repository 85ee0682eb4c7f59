import { type Database, inTransaction } from '../database/database.ts';
import { formatDecimal } from '../money.ts';
import type { Parts } from '../parts.ts';
import { periodKey } from '../periods/period-key.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { refuseWithoutNote } from '../request.ts';
import type { Intent } from './intent.ts';
import { identifierOf, isTakeBack, openIntent } from './intent.ts';
import type { NewIntent } from './intent-store.ts';
import {
  insertIntent,
  insertSettled,
  readIntents,
  readIntentsOf,
  withdrawUnsent,
} from './intent-store.ts';
import { readLedgerName } from './ledger-name-store.ts';
import { dueOf, isUnsent } from './push-period.ts';
import type { PushTarget } from './push-target.ts';
import { eventTimestampOf } from './push-target.ts';
import { refuseNothingClosed } from './push-targets.ts';
import type { SettleAnswer, SettleRequest } from './settle-answer.ts';
import { isBillOf, settledMicro } from './settled-amount.ts';
import { readTargets } from './target-store.ts';
import { undoneBy } from './unsettle-period.ts';

export interface SettleParts extends Pick<Parts, 'database' | 'clock'> {
  /** How what was told is taken back where nobody bills it; why not, or null where nothing was told. */
  readonly planTakeBack: (
    target: PushTarget,
    intents: readonly Intent[],
  ) => Promise<NewIntent | string | null>;
}

/**
 * Records what a person billed for a closed period elsewhere, so that no destination is told of it and the
 * period comes to its end. It covers what is due, as a bill rounds it; a part leaves the rest to be pushed.
 * What was told already and is billed by nobody is taken back by the next push. What may have been told is not
 * settled: its count decides it first.
 */
export async function settlePeriod(
  { database, clock, planTakeBack }: SettleParts,
  request: SettleRequest,
): Promise<SettleAnswer> {
  const { tenant_id: tenantId, month, actor } = request;
  const missing = 'say where it was billed, such as the number of the invoice, and who says so';
  refuseWithoutNote('settling a period', request, missing);
  const target = await findTarget(database, request);
  if (target.mode === 'shadow') refuseShadow(target);
  const intents = await readIntents(database, target);
  // What is being taken back makes the period due again, whenever that is told.
  const open = openIntent(intents.filter((intent) => !isTakeBack(intent)));
  if (open !== undefined && !isUnsent(open)) {
    throw new Refusal(
      'conflict',
      `intent ${open.identifier} of this period is ${open.state}, so that it may be counted already`,
      advise`decide it first, with ${{ operation: 'push', month }} or ${{ operation: 'stripe unpark', identifier: open.identifier }}`,
    );
  }
  const standing = intents.filter((intent) => intent !== open);
  const untold = dueOf(target, standing);
  const back = untold === 0n ? await planTakeBack(target, intents) : null;
  if (typeof back === 'string') {
    const resolve = { operation: 'stripe resolve', alert_id: null } as const;
    const remedy = advise`all of it is told, so that no push bills it again and no record is needed: what was told counts as this period's bill. See in Stripe that no draft bills it beside yours (void it, or leave its auto_advance off), and say in ${resolve} where you billed it; ${{ operation: 'reconcile', month }} shows what was told`;
    throw new Refusal('conflict', `this period was told, and cannot be settled: ${back}`, remedy);
  }
  const due = back === null ? untold : -back.valueMicro;
  if (due > 0n) refuseRepeated(request, target, intents);
  const valueMicro = settledMicro(request, { currency: target.currency, due });
  const sequence = intents.length + (back === null ? 1 : 2);
  const identifier = identifierOf(await readLedgerName(database), target, sequence);
  const told = { valueMicro, eventTimestamp: eventTimestampOf(target) };
  const where = {
    destination: 'settled',
    channel: 'settled',
    customer: target.customer ?? '',
  } as const;
  const whose = { tenantId, periodStart: target.periodStart, sequence, identifier };
  const intent = { ...whose, ...told, ...where, livemode: null, account: null } as const;
  const says = wordsOf(request);
  const at = clock();
  // All or nothing: what was taken back alone would be told again, and billed beside what the person billed.
  await inTransaction(database, async (kept) => {
    const isFree =
      open === undefined ||
      (await withdrawUnsent(kept, open.identifier, `settled by ${actor} elsewhere`));
    const isBack = back === null || (await insertIntent(kept, back, at));
    if (isFree && isBack && (await insertSettled(kept, intent, { says, at }))) return;
    const remedy = 'do it again; it sees what was told in the meantime';
    throw new Refusal('conflict', 'this period was pushed or settled at the same moment', remedy);
  });
  const { periodStart, currency } = target;
  const rest = String(due - valueMicro);
  const of = { tenant_id: tenantId, period_start: periodStart, identifier, currency };
  return { ...of, settled: String(valueMicro), due: rest };
}

/** A month in which a customer left and came back, or its anchor day changed, begins several: the one that is not told yet is meant. */
async function findTarget(database: Database, request: SettleRequest): Promise<PushTarget> {
  const { tenant_id: tenantId, month, period_start: named } = request;
  const targets = await readTargets(database, { month, tenantId });
  const meant = targets.filter(({ periodStart }) => named === undefined || periodStart === named);
  const [first] = meant;
  if (first === undefined) refuseNothingClosed(month);
  const intents = await readIntentsOf(database, meant);
  const found = meant.map((target) => {
    const standing = (intents.get(periodKey(target)) ?? []).filter((intent) => !isUnsent(intent));
    return { target, untold: target.mode === 'live' ? dueOf(target, standing) : 0n };
  });
  const untold = found.filter((each) => each.untold > 0n);
  const [only] = untold.length === 1 ? untold : [];
  if (meant.length === 1) return first;
  if (only !== undefined) return only.target;
  const each = found.map(
    ({ target: { periodStart, currency }, untold: micro }) =>
      `one from ${periodStart} with ${formatDecimal(micro, 6)} ${currency} untold`,
  );
  const settles = found.flatMap(({ target: { periodStart: period_start } }, index) => {
    const settle = {
      operation: 'stripe settled',
      tenant_id: tenantId,
      month,
      period_start,
    } as const;
    return index === 0 ? [settle] : [' or ', settle];
  });
  throw new Refusal(
    'conflict',
    `${meant.length} periods of tenant "${tenantId}" begin in ${month}: ${each.join(', ')}`,
    ['say which of them was billed: ', ...settles],
  );
}

function wordsOf({ actor, reason }: Pick<SettleRequest, 'actor' | 'reason'>): string {
  return `settled by ${actor}: ${reason}`;
}

/** A part whose record was not answered is recorded again by whoever asks again: the same words and amount are the same bill. */
function refuseRepeated(
  request: SettleRequest,
  { tenantId, periodStart, currency }: PushTarget,
  intents: readonly Intent[],
): void {
  const undone = new Set(intents.map(({ identifier }) => identifier));
  const before = intents.find(
    ({ destination, identifier, lastAnswer, valueMicro: micro }) =>
      destination === 'settled' &&
      lastAnswer === wordsOf(request) &&
      isBillOf(request.amount, { micro, currency }) &&
      !undone.has(undoneBy(identifier)),
  );
  if (before === undefined) return;
  throw new Refusal(
    'conflict',
    `${request.amount} ${currency} of tenant "${tenantId}" period ${periodStart} is recorded as settled already, with the same reason (${before.identifier})`,
    'nothing is left to do; where it was billed by two bills of the same amount, give the second one a reason of its own, such as its number',
  );
}

function refuseShadow({ tenantId, periodStart }: PushTarget): never {
  throw new Refusal(
    'conflict',
    `nothing of tenant "${tenantId}" period ${periodStart} is due, since it was closed in shadow`,
    'what is its own was never due; what came late of a billed month is carried on to the next month in live mode, and settled there',
  );
}
