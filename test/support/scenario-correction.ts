import type { Clock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { acceptEntries } from '../../src/ledger/corrections/accept-entries.ts';
import { adjustTenant } from '../../src/ledger/corrections/adjust-tenant.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { reattributeEntries } from '../../src/ledger/corrections/reattribute-entries.ts';
import { rerateMonth } from '../../src/ledger/corrections/rerate-month.ts';
import { exactPico } from '../../src/money.ts';
import { textRows } from './database.ts';

/** The steps of a scenario that correct what the ledger holds; test/scenarios/README.md describes them. */
export type CorrectionStep =
  | {
      readonly correct: EntryKeys;
      /** Null voids the entry. */
      readonly change: Readonly<Record<string, unknown>> | null;
      readonly reason?: string;
      readonly at?: string;
    }
  | {
      readonly rerate: string;
      readonly tenant?: string;
      readonly dry_run?: boolean;
      readonly at?: string;
    }
  | { readonly accept: readonly EntryKeys[]; readonly reason?: string; readonly at?: string }
  | {
      /** The tenant who is credited or charged. */
      readonly adjust: string;
      readonly amount: string;
      readonly reason?: string;
      readonly id?: string;
      readonly at?: string;
    }
  | { readonly reattribute: string; readonly feature?: string; readonly at?: string };

interface EntryKeys {
  readonly event_id: string;
  readonly tenant_id?: string;
  readonly member_id?: string;
  readonly revision?: number;
}

const NOTE = { reason: 'a scenario', actor: 'ada' };

export async function takeCorrection(
  database: Database,
  clock: Clock,
  step: CorrectionStep,
): Promise<unknown> {
  if ('rerate' in step) {
    const { rerate: month, tenant: tenant_id = null, dry_run = false } = step;
    const request = { month, tenant_id, dry_run, ...NOTE };
    return (await rerateMonth({ database, clock }, request)).rows;
  }
  if ('adjust' in step) {
    const { adjust: tenant_id, amount, id = null, reason = NOTE.reason } = step;
    const request = { tenant_id, amount: exactPico(amount), id, ...NOTE, reason };
    const { entry_id: _, ...answer } = await adjustTenant({ database, clock }, request);
    return [answer];
  }
  if ('reattribute' in step) {
    const answers = await reattributeEntries(
      { database, clock },
      {
        ...{ entry_ids: [], tenant_id: step.reattribute, user_id: null },
        ...{ feature: step.feature ?? null, agent_run_id: null, ...NOTE },
      },
    );
    return answers.map(withoutIds);
  }
  if ('accept' in step) {
    const entry_ids = await Promise.all(step.accept.map((keys) => entryIdOf(database, keys)));
    const request = { entry_ids, ...NOTE, reason: step.reason ?? NOTE.reason };
    return (await acceptEntries({ database, clock }, request)).map(withoutIds);
  }
  const entryId = await entryIdOf(database, step.correct);
  const change = step.change === null ? null : camelKeys(step.change);
  const note = { ...NOTE, reason: step.reason ?? NOTE.reason };
  const answers = await postCorrections(database, clock, [{ entryId, change, note }]);
  return answers.map(withoutIds);
}

/** Ids differ from run to run. */
function withoutIds(answer: Awaited<ReturnType<typeof postCorrections>>[number]) {
  const { corrected: _, reversal: __, replacement: ___, ...rest } = answer;
  return rest;
}

async function entryIdOf(database: Database, keys: EntryKeys): Promise<bigint> {
  const { event_id, tenant_id = 'acme', member_id = '', revision = 0 } = keys;
  const [row] = await textRows(
    database,
    `select entry_id from entries where event_id = $1 and tenant_id = $2 and member_id = $3
       and revision = $4`,
    [event_id, tenant_id, member_id, revision],
  );
  return BigInt(row?.['entry_id'] ?? -1);
}

/** output_tokens → outputTokens */
function camelKeys(change: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(change).map(([key, value]) => [
      key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
