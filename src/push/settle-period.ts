import { minorUnitDecimals } from '../currencies.ts';
import { divideHalfUp, formatDecimal, parseDecimal } from '../money.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { openIntent } from './intent.ts';
import { insertSettled, readIntents, withdrawUnsent } from './intent-store.ts';
import { readLedgerName } from './ledger-name-store.ts';
import { dueOf, identifierOf, isUnsent } from './push-period.ts';
import type { PushTarget } from './push-target.ts';
import { eventTimestampOf } from './push-target.ts';
import { refuseNothingClosed } from './push-targets.ts';
import type { SettleAnswer, SettleRequest } from './settle-answer.ts';
import { readTargets } from './target-store.ts';

/**
 * Records what a person billed for a closed period elsewhere, so that no destination is told of it and the
 * period comes to its end. It covers what is due, to the minor unit; a part leaves the rest to be pushed.
 * What was told already, or may have been, is not settled: its count decides it first.
 */
export async function settlePeriod(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: SettleRequest,
): Promise<SettleAnswer> {
  const { tenant_id: tenantId, month, reason, actor } = request;
  if (reason.trim() === '' || actor.trim() === '') {
    const lacks = reason.trim() === '' ? 'a reason' : 'a name';
    const remedy = 'say where it was billed, such as the number of the invoice, and who says so';
    throw new Refusal('bad_request', `a period is not settled without ${lacks}`, remedy);
  }
  const [target] = await readTargets(database, { month, tenantId });
  if (target === undefined) refuseNothingClosed(month);
  const intents = await readIntents(database, target);
  const open = openIntent(intents);
  if (open !== undefined && !isUnsent(open)) {
    throw new Refusal(
      'conflict',
      `intent ${open.identifier} of this period is ${open.state}, so that it may be counted already`,
      advise`decide it first, with ${{ operation: 'push', month }} or ${{ operation: 'stripe unpark', identifier: open.identifier }}`,
    );
  }
  const standing = intents.filter((intent) => intent !== open);
  const due = dueOf(target, standing);
  const valueMicro = microOf(request, target, due);
  const isFree =
    open === undefined ||
    (await withdrawUnsent(database, open.identifier, `settled by ${actor} elsewhere`));
  const sequence = intents.length + 1;
  const identifier = identifierOf(await readLedgerName(database), target, sequence);
  const told = { valueMicro, eventTimestamp: eventTimestampOf(target) };
  const where = {
    destination: 'settled',
    channel: 'settled',
    customer: target.customer ?? '',
  } as const;
  const whose = { tenantId, periodStart: target.periodStart, sequence, identifier };
  const intent = { ...whose, ...told, ...where, livemode: null, account: null } as const;
  const says = `settled by ${actor}: ${reason}`;
  if (!isFree || !(await insertSettled(database, intent, { says, at: clock() }))) {
    const remedy = 'run the command again; it sees what was told in the meantime';
    throw new Refusal('conflict', 'this period was pushed or settled at the same moment', remedy);
  }
  const { periodStart, currency } = target;
  const rest = String(due - valueMicro);
  const of = { tenant_id: tenantId, period_start: periodStart, identifier, currency };
  return { ...of, settled: String(valueMicro), due: rest };
}

/** The micro units that an amount stands for: all that is due where it is that to the minor unit. */
function microOf({ amount }: SettleRequest, target: PushTarget, due: bigint): bigint {
  const decimals = minorUnitDecimals(target.currency);
  const minor = parseDecimal(amount, decimals);
  if (minor === null || minor <= 0n) {
    throw new Refusal(
      'bad_request',
      `"${amount}" is no amount of ${target.currency}`,
      `write it above zero, with at most ${decimals} decimals`,
    );
  }
  const microPerMinor = 10n ** BigInt(6 - decimals);
  if (due > 0n && divideHalfUp(due, microPerMinor) === minor) return due;
  const value = minor * microPerMinor;
  if (value < due) return value;
  throw new Refusal(
    'conflict',
    `${formatDecimal(due, 6)} ${target.currency} of this period is due, and ${amount} is more`,
    due === 0n
      ? advise`nothing is left to settle; ${{ operation: 'reconcile' }} shows what was told`
      : 'settle at the most what is due',
  );
}
