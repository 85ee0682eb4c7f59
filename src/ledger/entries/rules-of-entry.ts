import { formatInstant, type InstantMs } from '../../clock.ts';

/** What of an entry decides by which rules its amounts are what they are. */
interface RuledEntry {
  readonly kind: string;
  readonly outcome: string;
  readonly isReversal: boolean;
  readonly correctsEntryId: bigint | null;
  readonly memberId: string;
  readonly requestedModel: string;
  readonly executedModel: string;
  readonly gatewayCache: string;
  readonly late: boolean;
  readonly due: boolean;
  readonly periodStart: string;
  readonly layersScaled: boolean;
  readonly chargeBook: string | null;
  readonly chargeVersion: InstantMs | null;
  readonly costBook: string | null;
  readonly costVersion: InstantMs | null;
  /** The source of the rates that converted the cost, and their begin; null where nothing did. */
  readonly convertedBy: { readonly source: string; readonly from: InstantMs } | null;
}

/** Returns the rules behind an entry's amounts, each in a sentence, with the price versions. */
export function rulesOfEntry(entry: RuledEntry): readonly string[] {
  return [
    ...correctionRules(entry),
    chargeRule(entry),
    ...(entry.memberId === '' ? [] : [`the part of member ${entry.memberId} of a split call`]),
    ...(entry.gatewayCache === 'none'
      ? []
      : [`a gateway's cache answered (${entry.gatewayCache})`]),
    ...costRules(entry),
    ...(entry.layersScaled ? ['its token layers are shares of the usage, scaled to sum'] : []),
    ...lateRules(entry),
  ];
}

function lateRules({ late, due, periodStart }: RuledEntry): readonly string[] {
  if (!due) return ['of a month that was closed in shadow, so nothing is due for it in any period'];
  return late ? [`late, and so billed in the period that was open, from ${periodStart}`] : [];
}

function correctionRules({ kind, isReversal, correctsEntryId }: RuledEntry): readonly string[] {
  if (kind !== 'correction') return [];
  return [`${isReversal ? 'takes back' : 'replaces'} ent_${correctsEntryId}`];
}

function chargeRule(entry: RuledEntry): string {
  if (entry.kind === 'allocation') return 'a share of a pool';
  if (entry.kind === 'adjustment') return `an adjustment without a call: ${entry.requestedModel}`;
  switch (entry.outcome) {
    case 'failed':
    case 'cancelled':
      return `a ${entry.outcome} call is not charged`;
    case 'unattributed':
      return 'what names no tenant is charged to nobody';
    case 'unmeasured':
      return 'nothing was measured, which is not a measure of zero';
    case 'unrated':
      return 'no price is known, which is not a price of zero';
    default:
      if (entry.kind === 'correction' && entry.chargeBook === null)
        return 'taken as free, for the reason that the correction gives';
      return `charged on the model requested, ${entry.requestedModel}, at ${priceVersion(entry.chargeBook, entry.chargeVersion)}`;
  }
}

function costRules(entry: RuledEntry): readonly string[] {
  const { executedModel, costBook, costVersion, convertedBy } = entry;
  if (costBook === null) return [];
  return [
    `costed on the model executed, ${executedModel}, at ${priceVersion(costBook, costVersion)}`,
    ...(convertedBy === null
      ? []
      : [
          `its cost was converted by the rates of ${convertedBy.source} from ${formatInstant(convertedBy.from)}`,
        ]),
  ];
}

function priceVersion(book: string | null, version: InstantMs | null): string {
  return book === null || version === null
    ? 'no price'
    : `price book ${book} of ${formatInstant(version)}`;
}
