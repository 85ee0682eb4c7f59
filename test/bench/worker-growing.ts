import { CLEAN, type Traffic } from './bench-events.ts';
import { measureWorker } from './bench-worker.ts';
import type { Contender } from './contender.ts';

/** How the cost of an event grows with the tenants that share the traffic. */
export const MANY_TENANTS: readonly Contender[] = [10, 100, 1_000, 10_000, 100_000].map((tenants) =>
  growing(`${tenants.toLocaleString('en-US')} tenants`, {
    traffic: { tenants },
    includes: `The worker's packed run with its events scattered over ${tenants} tenants that exist already.`,
  }),
);

/** How the cost of a batched request grows with its members. */
export const MANY_MEMBERS: readonly Contender[] = [1, 10, 100, 1_000].map((members) =>
  growing(`${members.toLocaleString('en-US')} members a request`, {
    traffic: { batched: 100, members, tenants: 1_000 },
    includes: `Every event is a batched request of ${members} members, each of another tenant; rates and costs are of entries, one a member.`,
  }),
);

/** One process with ids that fall anywhere in the index; asked of an empty ledger and of a large one. */
export const randomIds: Contender = growing('random ids', {
  traffic: { ids: 'random', tenants: 10_000 },
  includes: 'The packed run with uuid4 event ids, scattered over 10,000 tenants.',
});

export const GROWING: readonly Contender[] = [...MANY_TENANTS, ...MANY_MEMBERS, randomIds];

function growing(
  name: string,
  of: { readonly traffic: Partial<Traffic>; readonly includes: string },
): Contender {
  return {
    name,
    includes: of.includes,
    input: { ...CLEAN, ...of.traffic },
    writesEntries: true,
    size: 'packed',
    processes: 1,
    run: measureWorker,
  };
}
