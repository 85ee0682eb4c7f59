import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import type { DayVersion, ReadDay } from '../../src/parts.ts';
import { KeptDays } from '../../src/reports/kept-days.ts';
import type { Dimension } from '../../src/reports/usage-answer.ts';
import { readUsageByDays } from '../../src/reports/usage-days-store.ts';
import { readUsageReport, type UsageQuestion } from '../../src/reports/usage-report-store.ts';
import { createDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

describe('over a ledger', () => {
  let database: Database;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    ({ database, drop } = await createDatabase());
    await importBooks(database, 'standard', 'cost');
    await receiveEvents(database, calls(0, ['gpt-4o', 'gpt-4o-mini', 'モデル', '😀', '\uffee']));
    await foldAll(database, systemClock);
  });
  afterAll(() => drop());

  const QUESTIONS: readonly (readonly Dimension[])[] = [
    [],
    ['day', 'requested_model'],
    ['requested_model'],
    ['requested_model', 'day', 'outcome'],
    ['kind'],
    ['provider', 'executed_model', 'feature'],
    ['tenant', 'day'],
    ['day', 'layer'],
  ];
  const BOUNDS = [
    { month: null, from: null, to: null },
    { month: '2026-10', from: null, to: null },
    { month: null, from: parseInstant('2026-10-02T00:00:00Z'), to: null },
    { month: null, from: null, to: parseInstant('2026-10-03T00:00:00Z') },
  ];
  const questions = BOUNDS.flatMap((bounds) =>
    QUESTIONS.map((by): UsageQuestion => ({ by, tenantId: null, ...bounds })),
  );

  it('what a server keeps of days answers as the rollups do, whatever is folded between', async () => {
    const days = new KeptDays();
    const compare = async (when: string) => {
      for (const question of questions) {
        const kept = await readUsageByDays(database, question, days);
        const said = `${when}: ${JSON.stringify(question)}`;
        expect(kept, said).toEqual(await readUsageReport(database, question));
      }
    };
    await compare('at first');
    await compare('again');
    await receiveEvents(database, calls(100, ['gpt-4o']));
    await compare('before the fold');
    await foldAll(database, systemClock);
    await compare('after the fold');
    const ids = await textRows(
      database,
      "select entry_id from audit.entries where event_id ~ '3$'",
    );
    const change = { feature: 'moved', outputTokens: 5 };
    const note = { reason: 'a test', actor: 'ada' };
    await postCorrections(
      database,
      () => parseInstant('2026-10-20T12:00:00Z'),
      ids.map(({ entry_id }, n) => ({
        entryId: BigInt(entry_id?.replace('ent_', '') ?? -1),
        change: n % 2 === 0 ? null : change,
        note,
      })),
    );
    await foldAll(database, systemClock);
    await compare('after corrections');
  });

  it('a day that nothing was added to is not summed again', async () => {
    const days = new KeptDays();
    const question: UsageQuestion = {
      ...{ by: ['day', 'requested_model'], tenantId: null, from: null, to: null },
    };
    const before = await readUsageByDays(database, question, days);
    await receiveEvents(database, calls(200, ['gpt-4o'], 1));
    await foldAll(database, systemClock);
    const after = await readUsageByDays(database, question, days);
    const made = after.filter((row) => !before.includes(row)).map(({ day }) => day);
    expect(new Set(made)).toEqual(new Set(['2026-10-01']));
  });
});

/** Twelve calls on three days, or on one, of which some fail. */
function calls(first: number, models: readonly string[], days = 3): readonly object[] {
  return Array.from({ length: 12 }, (_, n) =>
    nativeEvent({
      event_id: `evt-${first + n}`,
      occurred_at: `2026-10-0${1 + (n % days)}T12:00:00Z`,
      status: n % 5 === 0 ? 'error' : 'ok',
      requested_model: models[n % models.length],
      tenant_id: n % 4 === 0 ? null : `tenant-${n % 3}`,
      feature: n % 2 === 0 ? 'chat' : null,
    }),
  );
}

describe('beside others', () => {
  const VERSIONS = new Map([
    ['2026-10-01', 1n],
    ['2026-10-02', 1n],
  ]);
  const readFrom = (versions: ReadonlyMap<string, bigint>) => {
    const read: string[] = [];
    return {
      read,
      from: async (known: readonly DayVersion[]): Promise<readonly ReadDay<string>[]> =>
        [...versions].map(([day, version]) => {
          const isKnown = known.some((of) => of.day === day && of.version === version);
          if (!isKnown) read.push(day);
          const rows = isKnown ? null : [`${day} at ${version}`];
          return { periodStart: '2026-10-01', day, version, rows };
        }),
    };
  };

  it('a question that was answered while another one was under way does not mix with it', async () => {
    const days = new KeptDays();
    await days.ask('all', readFrom(VERSIONS).from);
    const newer = new Map([...VERSIONS, ['2026-10-02', 2n]] as const);
    const slow = await days.ask('all', async (known) => {
      await days.ask('all', readFrom(newer).from);
      return readFrom(VERSIONS).from(known);
    });
    expect(slow).toEqual(['2026-10-01 at 1', '2026-10-02 at 1']);
    expect(await days.ask('all', readFrom(newer).from)).toEqual([
      '2026-10-01 at 1',
      '2026-10-02 at 2',
    ]);
  });

  it('of many questions the one that was asked longest ago is forgotten', async () => {
    const days = new KeptDays();
    const large = async (known: readonly DayVersion[]) => {
      const rows = known.length > 0 ? null : Array.from({ length: 12_000 }, (_, n) => n);
      return [{ periodStart: '2026-10-01', day: '2026-10-01', version: 1n, rows }];
    };
    const asked = readFrom(VERSIONS);
    await days.ask('first', asked.from);
    await days.ask('second', large);
    await days.ask('third', large);
    await days.ask('first', asked.from);
    expect(asked.read).toEqual(['2026-10-01', '2026-10-02']);
    await days.ask('fourth', large);
    await days.ask('fifth', large);
    await days.ask('first', asked.from);
    expect(asked.read).toHaveLength(2);
    await days.ask('sixth', large);
    await days.ask('seventh', large);
    await days.ask('eighth', large);
    await days.ask('first', asked.from);
    expect(asked.read).toHaveLength(4);
  });
});
