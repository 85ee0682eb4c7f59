import { checkLaws } from '../../src/audit/laws/check-laws.ts';
import { checkSummaries } from '../../src/stripe/summary-law.ts';
import { differencesOf } from '../stripe/billing-scene.ts';
import { textRows } from '../support/database.ts';
import type { SaidCall } from './accepted.ts';
import { chargeOf, partsOf, passedLimit, periodAfter, periodOf } from './accepted.ts';
import type { Billed, Row } from './operators-oracle.ts';
import {
  billedOf,
  compareAdjustments,
  compareCorrections,
  compareHeard,
} from './operators-oracle.ts';
import type { World } from './world.ts';

const PICO_PER_MICRO = 1_000_000n;
const MICRO_PER_CENT = 10_000n;

/** What the ledger, the bills and Stripe should be after all that was accepted, and are not. */
export async function findWrong(
  world: World,
  of: { readonly months: readonly string[]; readonly withLaws: boolean },
): Promise<readonly string[]> {
  const { parts } = world.bench;
  const wrong = of.withLaws ? await findBroken(world) : [];
  const billed = await compareEntries(world, wrong);
  wrong.push(...(await compareCloses(world, billed)));
  wrong.push(...(await compareQuarantine(world)));
  wrong.push(...passedLimit(world.accepted));
  wrong.push(...(await compareHeard(world)));
  for (const month of of.months) wrong.push(...(await differencesOf(parts, month)));
  return wrong;
}

/** Every law of the ledger, by what the ledger says of itself. */
async function findBroken({ bench }: World): Promise<string[]> {
  const { parts } = bench;
  const { database, clock } = parts;
  const checkStripe = () => checkSummaries(parts);
  const laws = await checkLaws({ database, clock, checkStripe }, { scope: 'full', published: [] });
  return laws.flatMap(({ law, violations }) =>
    violations.map((violation) => `law ${law}: ${violation}`),
  );
}

/** What a tenant's period comes to. */
interface Sums {
  readonly entries: number;
  readonly due: bigint;
  readonly notDue: bigint;
}

/** Exact sums of each tenant's period, by what was said alone, once each call is found in its period. */
async function compareEntries(world: World, wrong: string[]): Promise<ReadonlyMap<string, Sums>> {
  const rows = await textRows(
    world.bench.parts.database,
    `select event_id, member_id, tenant_id, kind, charge, period_start, occurred_at, late, not_due, outcome, uncached_input_tokens as input,
       output_tokens as output, revision, is_reversal from entries order by event_id, member_id, revision`,
  );
  const closed = new Set(await readClosed(world));
  const adjustments = rows.filter(({ kind }) => kind === 'adjustment');
  const billed: Billed[] = [...compareAdjustments(world, { rows: adjustments, wrong })];
  const seen = new Set<string>();
  for (const row of rows) {
    const id = row['event_id'] ?? '';
    const key = keyOf(row);
    if (row['kind'] === 'adjustment' || seen.has(key)) continue;
    seen.add(key);
    const call = callOf(world, row);
    if (call === undefined || row['revision'] !== '0') {
      wrong.push(`nobody said this: ${JSON.stringify(row)}`);
      continue;
    }
    const tenantId = call.tenantId ?? 'unattributed';
    if (row['tenant_id'] !== tenantId) wrong.push(`${id} is of ${row['tenant_id']}`);
    if (row['charge'] !== `${chargeOf(call)}`) {
      wrong.push(`${id} is charged ${row['charge']}, and should be ${chargeOf(call)}`);
    }
    const period = row['period_start'] ?? '';
    wrong.push(...misplaced(call, { period, isLate: row['late'] === 'true', closed }));
    const { occurredAt } = call;
    billed.push(billedOf(row, { tenantId, charge: chargeOf(call), occurredAt }, wrong));
    const later = rows.filter((other) => keyOf(other) === key && other !== row);
    billed.push(...compareCorrections(world, { call, later, wrong }));
  }
  for (const [id, said] of world.accepted.calls) {
    const sound = said.filter((call) => !call.isBroken);
    const isThere = (call: SaidCall) =>
      partsOf(call).every(({ memberId }) => seen.has(`${id} ${memberId}`));
    if (sound.length > 0 && !sound.some(isThere)) wrong.push(`${id} is lost, or a part of it`);
  }
  return sumsOf(billed);
}

function keyOf(row: Row): string {
  return `${row['event_id']} ${row['member_id']}`;
}

function callOf({ accepted }: World, row: Row): SaidCall | undefined {
  const said = accepted.calls.get(row['event_id'] ?? '') ?? [];
  return said
    .filter(({ isBroken }) => !isBroken)
    .flatMap(partsOf)
    .find(
      ({ memberId, part }) =>
        memberId === row['member_id'] &&
        row['input'] === `${part.input}` &&
        row['output'] === `${part.output}`,
    )?.part;
}

function sumsOf(billed: readonly Billed[]): ReadonlyMap<string, Sums> {
  const byPeriod = Map.groupBy(billed, ({ tenantId, period }) => `${tenantId} ${period}`);
  return new Map(
    [...byPeriod].map(([key, own]) => [
      key,
      {
        entries: own.length,
        due: chargesOf(own.filter(({ isDue }) => isDue)),
        notDue: chargesOf(own.filter(({ isDue }) => !isDue)),
      },
    ]),
  );
}

function chargesOf(billed: readonly Billed[]): bigint {
  return billed.reduce((sum, { charge }) => sum + charge, 0n);
}

/** A call bills in its own period, or late in the first one after it that was open. */
function misplaced(
  call: SaidCall,
  of: { readonly period: string; readonly isLate: boolean; readonly closed: ReadonlySet<string> },
): readonly string[] {
  const tenantId = call.tenantId ?? 'unattributed';
  let period = periodOf(call.tenantId, call.occurredAt);
  const isLate = period !== of.period;
  for (; period < of.period; period = periodAfter(period)) {
    if (!of.closed.has(`${tenantId} ${period}`)) {
      return [`${call.eventId} stands in ${of.period}, though ${period} was never closed`];
    }
  }
  if (period !== of.period || isLate !== of.isLate) {
    return [`${call.eventId} of ${period} stands in ${of.period}, late: ${of.isLate}`];
  }
  return [];
}

async function readClosed({ bench }: World): Promise<readonly string[]> {
  const rows = await textRows(bench.parts.database, 'select tenant_id, period_start from closes');
  return rows.map((row) => `${row['tenant_id']} ${row['period_start']}`);
}

/**
 * Each bill anew: the exact sum and what is carried in, split into what is billed and what is carried on; how many
 * entries it is made of, and what of them is not due.
 */
async function compareCloses(
  { bench }: World,
  sums: ReadonlyMap<string, Sums>,
): Promise<readonly string[]> {
  const rows = await textRows(
    bench.parts.database,
    `select tenant_id, period_start, entries, charge_exact as exact, billable_micro as billable,
       carried_out as carried, charge_total as total,
       (select coalesce(trim_scale(sum((of->>'exact')::numeric) * 1e12), 0)
         from jsonb_array_elements(manifest::jsonb->'not_due') of) as not_due
     from closes order by tenant_id, period_start`,
  );
  const carriedBy = new Map<string, bigint>();
  return rows.flatMap((row) => {
    const tenantId = row['tenant_id'] ?? '';
    const own = sums.get(`${tenantId} ${row['period_start']}`);
    const { entries, due: exact, notDue } = own ?? { entries: 0, due: 0n, notDue: 0n };
    const due = exact + (carriedBy.get(tenantId) ?? 0n);
    // A credit that is more than the usage is carried on whole.
    const billable = due > 0n ? due / PICO_PER_MICRO : 0n;
    const carried = due - billable * PICO_PER_MICRO;
    carriedBy.set(tenantId, carried);
    const total = (billable + MICRO_PER_CENT / 2n) / MICRO_PER_CENT;
    const expected = [entries, exact, billable, carried, total, notDue].join(' ');
    const columns = ['entries', 'exact', 'billable', 'carried', 'total', 'not_due'];
    const found = columns.map((column) => row[column]).join(' ');
    const whose = `${tenantId} ${row['period_start']}`;
    return found === expected ? [] : [`${whose} was closed as ${found}, and is ${expected}`];
  });
}

/** Whatever was said and is not in the ledger waits in quarantine once: what is broken, and each other content. */
async function compareQuarantine({ bench, accepted }: World): Promise<readonly string[]> {
  const rows = await textRows(
    bench.parts.database,
    'select event_id, reason, count(*) as times from quarantine group by event_id, reason',
  );
  const found = new Map(rows.map((row) => [`${row['event_id']} ${row['reason']}`, row['times']]));
  const wrong: string[] = [];
  for (const [id, said] of accepted.calls) {
    const broken = said.filter(({ isBroken }) => isBroken).length;
    const conflicts = Math.max(0, said.length - broken - 1);
    for (const [reason, times] of [
      ['invalid_field', broken],
      ['conflict', conflicts],
    ] as const) {
      const waiting = found.get(`${id} ${reason}`) ?? '0';
      if (waiting !== `${times}`) wrong.push(`${id}: ${waiting} wait as ${reason}, not ${times}`);
      found.delete(`${id} ${reason}`);
    }
  }
  return [...wrong, ...[...found.keys()].map((key) => `${key}: nobody said it`)];
}
