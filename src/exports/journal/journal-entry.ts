import { parseInstant, utcDay } from '../../clock.ts';
import { minorPerBilled, minorUnitDecimals, picoPerBilled } from '../../currencies.ts';
import type { Manifest } from '../../ledger/closes/manifest.ts';
import type { ManifestLine } from '../../ledger/closes/manifest-lines.ts';
import { divideHalfUp, exactDecimal, exactPico, formatMinor } from '../../money.ts';
import { stretchAt } from '../../periods/zone-offset.ts';
import { accountOf, type JournalAccounts } from './journal-accounts.ts';
import type { JournalClose, JournalPosting } from './journal-answer.ts';

/**
 * Makes the double entry of a closed period, from the rounded lines of its manifest alone: what the
 * customer owes is debited, and what each model, shared spend, adjustments and carried balances
 * came to is credited; a negative amount stands on the other side. What is carried is always the rounded
 * balance, so that its account comes to nothing when nothing is carried: lines round it so that a
 * statement adds up, and a cent would stay for ever. The largest of the others takes the difference.
 * Pure; throws where the two sides differ, which no manifest gives.
 */
export function entryOfClose(
  { manifest, manifestHash }: { readonly manifest: Manifest; readonly manifestHash: string },
  accounts: JournalAccounts,
): JournalClose {
  const { tenant_id: tenant, currency } = manifest;
  const minor = (amount: string) => exactDecimal(amount, minorUnitDecimals(currency));
  const owed = minor(manifest.charge_total);
  const credits = new Map<string, Credit>();
  for (const line of manifest.lines) {
    const kind = sideOf(line);
    const account = accountOf(accounts[kind], { tenant, model: line.model, currency });
    add(credits, { kind, account, amount: minor(line.amount) });
  }
  // What months in shadow held was on no balance before, since nobody was billed there: it is income of this one.
  const due = balanceOf(exactPico(manifest.carried_in_due ?? '0'), currency);
  if (due !== 0n) {
    const to = { tenant, model: '', currency };
    const account = accountOf(accounts.adjustments, to);
    add(credits, { kind: 'adjustments', account, amount: due });
    add(credits, { kind: 'carried', account: accountOf(accounts.carried, to), amount: -due });
  }
  const credited = roundCarried([...credits.values()], manifest).filter(
    ({ amount }) => amount !== 0n,
  );
  const sum = credited.reduce((all, { amount }) => all + amount, 0n);
  if (sum !== owed) {
    throw new Error(
      `the lines of "${tenant}" from ${manifest.period_start} come to ${sum}, not ${owed}`,
    );
  }
  const receivable = accountOf(accounts.receivable, { tenant, model: '', currency });
  return {
    tenant_id: tenant,
    period_start: manifest.period_start,
    date: lastDayOf(manifest),
    currency,
    total: manifest.charge_total,
    manifest_hash: manifestHash,
    postings: [
      toPosting({ kind: 'receivable', account: receivable, amount: -owed }, currency),
      ...credited.map((credit) => toPosting(credit, currency)),
    ],
  };
}

/** Gives to what is carried what the balance changed by, and the difference to the lines to the largest of the others. */
function roundCarried(credits: readonly Credit[], manifest: Manifest): readonly Credit[] {
  const { currency } = manifest;
  const size = ({ amount }: Credit) => (amount < 0n ? -amount : amount);
  const carried = credits.find(({ kind }) => kind === 'carried');
  const [largest] = credits
    .filter((credit) => credit !== carried)
    .sort((a, b) => (size(a) === size(b) ? 0 : size(a) > size(b) ? -1 : 1));
  if (carried === undefined || largest === undefined) return credits;
  const before = exactPico(manifest.carried_in) - exactPico(manifest.carried_in_due ?? '0');
  const change = balanceOf(before, currency) - balanceOf(exactPico(manifest.carried_out), currency);
  const difference = carried.amount - change;
  return credits.map((credit) => {
    if (credit === carried) return { ...credit, amount: change };
    return credit === largest ? { ...credit, amount: credit.amount + difference } : credit;
  });
}

function add(credits: Map<string, Credit>, { kind, account, amount }: Credit): void {
  const key = JSON.stringify([kind, account]);
  credits.set(key, { kind, account, amount: (credits.get(key)?.amount ?? 0n) + amount });
}

/** Rounds an amount in pico as a bill does, and returns it in minor units. */
function balanceOf(amount: bigint, currency: string): bigint {
  return divideHalfUp(amount, picoPerBilled(currency)) * minorPerBilled(currency);
}

interface Credit {
  readonly kind: JournalPosting['kind'];
  readonly account: string;
  /** The amount is in minor units; a debit is below zero. */
  readonly amount: bigint;
}

function toPosting({ kind, account, amount }: Credit, currency: string): JournalPosting {
  const debit = formatMinor(amount < 0n ? -amount : 0n, currency);
  return { kind, account, debit, credit: formatMinor(amount > 0n ? amount : 0n, currency) };
}

function sideOf({ meter }: ManifestLine): JournalPosting['kind'] {
  switch (meter) {
    case 'allocation':
      return 'shared';
    case 'adjustment':
      return 'adjustments';
    case 'carried_in':
    case 'carried_out':
      return 'carried';
    default:
      return 'income';
  }
}

/** Returns the day on which the last instant of the period is, by the clocks of its zone. */
function lastDayOf({ ends_at: endsAt, time_zone: zone }: Manifest): string {
  const last = parseInstant(endsAt) - 1;
  return utcDay(last + stretchAt(zone, last).offsetMs);
}
