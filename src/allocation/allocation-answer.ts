import type { InstantMs } from '../clock.ts';
import { formatInstant } from '../clock.ts';
import type { NewEntry } from '../ledger/entries/entry.ts';
import { formatPico } from '../money.ts';
import { present } from '../present.ts';
import { UNATTRIBUTED } from '../rating/rate-event.ts';
import type { Consumption } from './consumption.ts';
import type { Share } from './divide-pool.ts';
import type { Pool, PoolRequest } from './pool.ts';
import { formatWeights } from './token-weights.ts';

/** A pool and its shares. Decimal strings in the major unit; weights in the units of the basis. */
export interface AllocationAnswer {
  /** `posted`, `reversed` and `duplicate` answer a command; `standing` and `reversed` a question. */
  readonly state: 'posted' | 'duplicate' | 'dry_run' | 'reversed' | 'standing';
  readonly pool: string;
  readonly month: string;
  readonly amount: string;
  readonly currency: string;
  readonly by: Pool['basis'];
  readonly weights: string | null;
  readonly weight_total: string;
  readonly billed: boolean;
  readonly reason: string;
  readonly actor: string;
  /** It is null where nothing was posted. */
  readonly recorded_at: string | null;
  readonly shares: readonly ShareRow[];
  /** These say who used something and has no share, and what else there is to know. */
  readonly notes: readonly string[];
}

export interface ShareRow {
  readonly tenant_id: string;
  /** It is null where nothing was posted. */
  readonly entry_id: string | null;
  readonly weight: string;
  readonly remainder_place: number;
  readonly cost: string;
  readonly charge: string;
  readonly period_start: string;
  readonly late: boolean;
  /** The explanation of how the share follows from the weights: the entry's own reason. */
  readonly explanation: string;
}

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
    recorded_at: of.recordedAt === null ? null : formatInstant(of.recordedAt),
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

/** What a person should know of a division: who is left out, and whose share nobody will pay. */
export function notesOf(
  request: PoolRequest,
  of: { readonly all: readonly Consumption[]; readonly shares: readonly Share[] },
): readonly string[] {
  const elsewhere = of.all
    .filter((one) => one.currency !== request.currency)
    .map(
      ({ tenantId, currency }) =>
        `tenant "${tenantId}" has usage in ${currency}, which has no share: a pool is divided within one currency`,
    );
  return [...elsewhere, ...noteOnNobodys(request, of.shares), ...noteOnShadows(request, of)];
}

function noteOnNobodys(request: PoolRequest, shares: readonly Share[]): readonly string[] {
  const nobodys = shares.find(({ tenantId }) => tenantId === UNATTRIBUTED);
  if (nobodys === undefined) return [];
  const uncharged = request.billed ? ' and is charged to nobody' : '';
  return [
    `${formatPico(nobodys.share)} falls to usage without a tenant${uncharged}; to move it, reattribute that usage, reverse and allocate anew`,
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
