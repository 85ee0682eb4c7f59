import type { InstantMs } from '../clock.ts';
import { formatInstantOrNull } from '../clock.ts';
import type { NewEntry } from '../ledger/entries/entry.ts';
import { formatPico } from '../money.ts';
import { present } from '../present.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import { andMore, counted } from '../text/counted.ts';
import { UNITS } from '../units.ts';
import type { AllocationAnswer, ShareRow } from './allocation-answer.ts';
import type { Consumption } from './consumption.ts';
import type { Share } from './divide-pool.ts';
import type { PoolRequest } from './pool.ts';
import { formatWeights } from './token-weights.ts';

export function answerOf(
  pool: PoolRequest,
  of: {
    readonly state: AllocationAnswer['state'];
    readonly weightTotal: string;
    readonly recordedAt: InstantMs | null;
    readonly shares: readonly { readonly entry: NewEntry; readonly entryId: bigint | null }[];
    readonly notes: readonly string[];
  },
): AllocationAnswer {
  return {
    state: of.state,
    pool: pool.pool,
    month: pool.month,
    amount: formatPico(pool.amount),
    currency: pool.currency,
    by: pool.basis,
    weights: pool.weights === null ? null : formatWeights(pool.weights),
    weight_total: of.weightTotal,
    billed: pool.billed,
    reason: pool.note.reason,
    actor: pool.note.actor,
    recorded_at: formatInstantOrNull(of.recordedAt),
    shares: of.shares.map(({ entry, entryId }) => toShareRow(entry, entryId)),
    notes: of.notes,
  };
}

function toShareRow(entry: NewEntry, entryId: bigint | null): ShareRow {
  return {
    tenant_id: entry.tenantId,
    entry_id: entryId === null ? null : `ent_${entryId}`,
    weight: entry.furtherTags['weight'] ?? '',
    remainder_place: Number(entry.furtherTags['remainder_place']),
    cost: formatPico(present(entry.cost, 'the cost of a share')),
    charge: formatPico(present(entry.charge, 'the charge of a share')),
    period_start: entry.periodStart,
    late: entry.late,
    explanation: entry.reason ?? '',
  };
}

/**
 * Returns what a person should know of a division: who is left out, and whose share nobody will
 * pay.
 */
export function notesOf(
  request: PoolRequest,
  of: {
    readonly all: readonly Consumption[];
    readonly shares: readonly Share[];
    readonly entries: readonly Pick<NewEntry, 'tenantId' | 'cost' | 'late'>[];
  },
): readonly string[] {
  const elsewhere = of.all
    .filter((one) => one.currency !== request.currency)
    .map(
      ({ tenantId, currency }) =>
        `tenant "${tenantId}" has usage in ${currency}, which has no share: a pool is divided within one currency`,
    );
  return [
    ...elsewhere,
    ...noteOnNobodys(request, of.entries),
    ...noteOnShadows(request, of),
    ...notesOnUnweighed(request, of.all),
  ];
}

/** So many tenants whose share would be another are named. */
const MOVED_NAMED = 5;

/** Returns what late usage and corrections changed since a pool was divided, where they changed a share. */
export function noteOnMoved(
  held: Pick<AllocationAnswer, 'shares'>,
  anew: readonly Share[],
): readonly string[] {
  const was = new Map(held.shares.map(({ tenant_id: tenant, cost }) => [tenant, cost]));
  const now = new Map(anew.map(({ tenantId, share }) => [tenantId, formatPico(share)]));
  const moved = [...new Set([...was.keys(), ...now.keys()])]
    .sort()
    .filter((tenant) => (was.get(tenant) ?? '0') !== (now.get(tenant) ?? '0'));
  if (moved.length === 0) return [];
  const named = moved
    .slice(0, MOVED_NAMED)
    .map(
      (tenant) =>
        `"${tenant}" would bear ${now.get(tenant) ?? '0'} and not ${was.get(tenant) ?? '0'}`,
    );
  const others =
    moved.length > MOVED_NAMED ? [counted(moved.length - MOVED_NAMED, 'other tenant')] : [];
  return [
    `the usage has changed since the pool was divided: ${[...named, ...others].join(', ')}; to have it so, reverse it and allocate anew`,
  ];
}

function noteOnNobodys(
  request: PoolRequest,
  entries: readonly Pick<NewEntry, 'tenantId' | 'cost' | 'late'>[],
): readonly string[] {
  const nobodys = entries.find(({ tenantId }) => tenantId === UNATTRIBUTED);
  if (nobodys === undefined) return [];
  const uncharged = request.billed ? ' and is charged to nobody' : '';
  // Nothing changes a closed period, and a pool is divided by what stands in the periods.
  const late = 'its period is closed, and what is reattributed now weighs in the open one';
  const open = 'to move it, reattribute that usage, reverse and allocate again';
  const charge = request.billed ? ': charge it to whom it belongs by an adjustment' : '';
  const way = nobodys.late ? `${late}${charge}` : open;
  return [
    `${formatPico(present(nobodys.cost, 'the cost of a share'))} falls to usage without a tenant${uncharged}; ${way}`,
  ];
}

function noteOnShadows(
  request: PoolRequest,
  of: { readonly all: readonly Consumption[]; readonly shares: readonly Share[] },
): readonly string[] {
  if (!request.billed) return [];
  const sharing = new Set(of.shares.map(({ tenantId }) => tenantId));
  const shadows = of.all
    .filter(
      ({ tenantId, mode }) =>
        mode === 'shadow' && tenantId !== UNATTRIBUTED && sharing.has(tenantId),
    )
    .map(({ tenantId }) => tenantId);
  if (shadows.length === 0) return [];
  return [
    `tenants in shadow mode see their share on their statement, and it is never pushed: ${[...new Set(shadows)].join(', ')}`,
  ];
}

/** So many tenants are named. */
const TENANTS_NAMED = 5;

/**
 * Tells whose entries have a cost that nobody knows, where a pool is divided by cost: all of them, or those that can still
 * be given one in their own period.
 */
export function withoutCosts(
  { basis }: PoolRequest,
  consumed: readonly Consumption[],
  which: 'entriesWithoutCost' | 'entriesToCost',
): string | null {
  if (basis !== 'direct') return null;
  const unknown = consumed.filter((one) => one[which] > 0n);
  return unknown.length === 0 ? null : named(unknown, (one) => ` (${one[which]} entries)`);
}

/** Returns what used something that weighs nothing in this division, although somebody may believe that it does. */
function notesOnUnweighed(request: PoolRequest, all: readonly Consumption[]): readonly string[] {
  const consumed = all.filter(({ currency }) => currency === request.currency);
  const unknown = withoutCosts(request, consumed, 'entriesWithoutCost');
  const isRefused = withoutCosts(request, consumed, 'entriesToCost') !== null;
  const ofCosts =
    unknown === null
      ? []
      : [
          `entries without a known cost weigh nothing${isRefused ? ', so that the pool is not posted' : ''}: ${unknown}`,
        ];
  const { weights } = request;
  if (weights === null) return ofCosts;
  const ofUnits = UNITS.filter(({ name }) => weights.units?.[name] === undefined).flatMap(
    ({ name, meter }) => {
      const users = consumed.filter(({ units }) => (units[name] ?? 0n) > 0n);
      return users.length === 0
        ? []
        : [
            `${meter} weigh nothing, since no weight is given for them; they are used by ${named(users, () => '')}`,
          ];
    },
  );
  return [...ofCosts, ...ofUnits];
}

function named(tenants: readonly Consumption[], more: (one: Consumption) => string): string {
  const first = tenants
    .slice(0, TENANTS_NAMED)
    .map((one) => `tenant "${one.tenantId}"${more(one)}`);
  return andMore(first, tenants.length, ', and ');
}
