import type { Database } from '../database/database.ts';
import type { Parts } from '../parts.ts';
import { present } from '../present.ts';
import { Refusal } from '../refusal.ts';
import type { Fault } from '../remedy.ts';
import { advise } from '../remedy.ts';
import { refuseWithoutNote } from '../request.ts';
import type { Intent } from './intent.ts';
import { isTakeBack } from './intent.ts';
import { insertSettled, readIntents, readIntentsByIdentifier } from './intent-store.ts';
import { dueOf } from './push-period.ts';
import type { PushTarget } from './push-target.ts';
import { readTargets } from './target-store.ts';
import type { UnsettleAnswer, UnsettleRequest } from './unsettle-answer.ts';

export interface UnsettleParts extends Pick<Parts, 'database' | 'clock'> {
  /** Says what rests on a settlement, so that it stays; null where nothing does. */
  readonly findReliance: (target: PushTarget, settled: Intent) => Promise<Fault | null>;
}

/** Returns the identifier of what takes a settlement back: it is one, since no settlement is taken back twice. */
export function undoneBy(identifier: string): string {
  return `${identifier}-taken-back`;
}

/**
 * Takes back what a person recorded as settled and did not bill: the same value below zero, kept beside it as seen, since
 * no count holds either. What it covered is due again, and the next push bills it.
 */
export async function unsettlePeriod(
  { database, clock, findReliance }: UnsettleParts,
  request: UnsettleRequest,
): Promise<UnsettleAnswer> {
  const { identifier, reason, actor } = request;
  const remedy =
    'say why it was not billed, such as the invoice that was never sent, and who says so';
  refuseWithoutNote('taking back what was settled', request, remedy);
  const settled = await readStandingSettlement(database, identifier);
  const { tenantId, periodStart, valueMicro } = settled;
  const targets = await readTargets(database, { month: null, tenantId });
  const found = targets.find((candidate) => candidate.periodStart === periodStart);
  const target = present(found, 'the closed period of a settlement');
  const intents = await readIntents(database, target);
  const back = undoneBy(identifier);
  const reliance = await findReliance(target, settled);
  if (reliance !== null) throw new Refusal('conflict', reliance.fault, reliance.remedy ?? []);
  const { destination, channel, customer, eventTimestamp, livemode, account } = settled;
  const whose = { tenantId, periodStart, sequence: intents.length + 1, identifier: back };
  const where = { destination, channel, customer, eventTimestamp, livemode, account };
  const taking = { ...whose, ...where, valueMicro: -valueMicro };
  const says = `taken back by ${actor}: ${reason}`;
  if (!(await insertSettled(database, taking, { says, at: clock() }))) {
    throw new Refusal(
      'conflict',
      'this period was pushed at the same moment',
      'do it again; it sees what was told in the meantime',
    );
  }
  return {
    tenant_id: tenantId,
    period_start: periodStart,
    identifier: back,
    currency: target.currency,
    taken_back: String(valueMicro),
    due: String(dueOf(target, intents) + valueMicro),
  };
}

/** Reads what was recorded as settled and was not taken back; refuses everything else. */
export async function readStandingSettlement(
  database: Database,
  identifier: string,
): Promise<Intent> {
  const known = await readIntentsByIdentifier(database, [identifier, undoneBy(identifier)]);
  const settled = known.find((intent) => intent.identifier === identifier);
  if (settled === undefined || settled.destination !== 'settled' || isTakeBack(settled)) {
    throw new Refusal(
      'not_found',
      `nothing that was settled has the identifier ${identifier}`,
      advise`${{ operation: 'push list', state: null }} lists what was told and settled`,
    );
  }
  if (known.length > 1) {
    throw new Refusal(
      'conflict',
      `what was settled by ${identifier} is taken back already`,
      advise`${{ operation: 'push', month: settled.periodStart.slice(0, 7) }} bills what is due of it`,
    );
  }
  return settled;
}
