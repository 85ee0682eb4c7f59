import { askRaise } from '../../src/budgets/raises/ask-raise.ts';
import { setBudget } from '../../src/budgets/set-budget.ts';
import { parseInstant } from '../../src/clock.ts';
import { makeRoles } from '../../src/database/roles.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import type { TestDatabase } from './database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from './ledger.ts';

/** The instant at which the tests of the console look: a month under way, and one that is closed. */
export const CONSOLE_NOW = parseInstant('2026-11-18T10:00:00Z');

/**
 * Fills a ledger with two tenants with a closed month and an open one, a budget, a run, and
 * something wrong of each kind.
 */
export async function fillForConsole(database: TestDatabase): Promise<void> {
  const clock = () => CONSOLE_NOW;
  await importBooks(database, 'standard', 'cost');
  for (const tenant of ['acme', 'globex']) {
    await makeTenant(database, tenant, { mode: 'live', priceBook: 'standard' });
  }
  const october = ['acme', 'globex'].flatMap((tenant_id) =>
    Array.from({ length: 12 }, (_, index) => eventOf(tenant_id, '2026-10', index)),
  );
  await receiveEvents(database, october, '2026-11-01T00:00:00Z');
  await foldAll(database, clock);
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  const november = ['acme', 'globex'].flatMap((tenant_id) =>
    Array.from({ length: 17 }, (_, index) => eventOf(tenant_id, '2026-11', index)),
  );
  const wrong = [
    nativeEvent({ event_id: 'no-usage', occurred_at: '2026-11-05T00:00:00Z', usage: undefined }),
    nativeEvent({
      event_id: 'no-price',
      occurred_at: '2026-11-05T00:00:00Z',
      requested_model: 'unknown-1',
    }),
    nativeEvent({
      event_id: 'unnamed',
      occurred_at: '2026-11-05T00:00:00Z',
      tenant_id: 'Acme <b>',
    }),
    { ...eventOf('acme', '2026-11', 0), usage: { input_tokens: 1, output_tokens: 1 } },
    { ...nativeEvent({ event_id: 'bad' }), attempt: 0 },
  ];
  await receiveEvents(database, [...november, ...wrong], '2026-11-18T09:59:00Z');
  await foldAll(database, clock);
  await sealAll(database, clock);
  await makeRoles(database);
  const nobody = { feature: null, user_id: null, agent_run_id: null, tags: null, tokens: null };
  const budget = await setBudget(
    { database, clock },
    {
      ...{ tenant_id: 'acme', per: 'month', kind: 'hard', amount: 1_000_000_000_000n, ...nobody },
      ...{ on_unavailable: null, priced_only: null, thresholds: null, loop: null, actor: 'a test' },
    },
  );
  await askRaise(
    { database, clock },
    {
      ...{ tenant_id: 'acme', budget_id: budget.budget_id, limit: '2.50', actor: 'the shop' },
      reason: 'A launch <b>tomorrow</b>',
    },
  );
}

function eventOf(tenant_id: string, month: string, index: number) {
  const day = String(index + 1).padStart(2, '0');
  return nativeEvent({
    ...{
      tenant_id,
      event_id: `${tenant_id}-${month}-${index}`,
      occurred_at: `${month}-${day}T12:00:00Z`,
    },
    ...{ user_id: `user-of-${tenant_id}`, feature: `feature-of-${tenant_id}`, provider: 'azure' },
    ...{
      agent_run_id: `run-of-${tenant_id}`,
      trace_id: `trace-of-${tenant_id}-${month}`,
      span_id: `s${index}`,
    },
  });
}
