import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { exactPico, formatPico } from '../../src/money.ts';
import { reportCostDrift } from '../../src/reports/report-cost-drift.ts';
import { reportTagCoverage } from '../../src/reports/report-tag-coverage.ts';
import { createDatabase } from '../support/database.ts';
import { importBook, nativeEvent, receiveEvents } from '../support/ledger.ts';

let database: Database;
let drop: () => Promise<void>;

const ANY = { tenant_id: null, month: null, from: null, to: null };

/** Our cost book has $2 a million of input and $8 of output, and a wrong price of cached input. */
beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  const per_million = { input: '2', output: '8', cache_read: '2' };
  const models = ['m', 'n'].map((model) => ({ model, per_million }));
  const from = { effective_from: '2026-01-01T00:00:00Z' };
  await importBook(database, { book: 'cost', kind: 'cost', currency: 'USD', ...from, models });
  const call = (event_id: string, counts: readonly [number, number, number], more: object) => {
    const [input_tokens, cache_read_tokens, output_tokens] = counts;
    return nativeEvent({
      ...{ event_id, provider: 'openai', requested_model: 'm', tenant_id: 'acme' },
      usage: { input_tokens, cache_read_tokens, output_tokens },
      ...more,
    });
  };
  const reported = (amount: string, source = 'litellm', currency = 'USD') => ({
    reported_cost: { amount, currency, source },
  });
  await receiveEvents(database, [
    // Theirs: 2 for input, 0.5 for cached input, 8 for output. Ours charges cached input as input.
    call('a', [1_000_000, 400_000, 0], reported('1.4')),
    call('b', [500_000, 100_000, 50_000], { ...reported('1.25'), feature: 'chat', user_id: 'u' }),
    call('c', [200_000, 0, 100_000], { ...reported('1.2'), tenant_id: undefined }),
    call('d', [100_000, 0, 0], { source: 'other' }),
    call('e', [100_000, 0, 0], { requested_model: 'n', ...reported('0.01', 'openrouter_byok') }),
    call('f', [100_000, 0, 0], { requested_model: 'n', ...reported('0.2', 'openrouter') }),
    call('g', [100_000, 0, 0], { requested_model: 'n', ...reported('0.2', 'openrouter', 'EUR') }),
    call('h', [9, 0, 0], { requested_model: 'unheard-of', ...reported('5') }),
    call('i', [100_000, 0, 0], {
      requested_model: 'n',
      members: [{ member_id: 'x' }],
      ...reported('9'),
    }),
  ]);
});

afterAll(() => drop());

describe('the drift of reported costs', () => {
  it('is theirs less ours, and the unit whose price differs explains it', async () => {
    const { rows } = await reportCostDrift({ database }, { by: ['provider', 'model'], ...ANY });
    expect(rows[0]).toEqual({
      ...{ provider: 'openai', model: 'm', reported_by: 'litellm', currency: 'USD' },
      // Three of the four calls of the model have both.
      ...{ calls_in_group: 4, calls: 3, calls_with_both: 3, share_with_both: '75.00' },
      converted: 0,
      in_other_currency: 0,
      // Ours: 2 + (1 + 0.4) + (0.4 + 0.8); theirs 1.5 less for each million cached, of 500,000.
      ...{ reported_cost: '3.85', our_cost: '4.6', drift: '-0.75', drift_percent: '-16.30' },
      explained_by: {
        ...{ unit: 'cache_read_tokens', explains: '100.00' },
        ...{ difference: '-1.5', per: '1000000', factor: null },
      },
    });
  });

  it("tells a fee for one's own key from a price, and leaves other currencies out", async () => {
    const { rows } = await reportCostDrift({ database }, { by: ['model'], ...ANY });
    const ofN = rows.filter(({ model }) => model === 'n');
    expect(
      ofN.map((row) => [
        row.reported_by,
        row.calls,
        row.calls_with_both,
        row.in_other_currency,
        row.drift,
      ]),
    ).toEqual([
      ['openrouter_byok', 1, 1, 0, '-0.19'],
      ['openrouter', 2, 1, 1, '0'],
    ]);
  });

  it('of a model without a cost of ours is not said to be nothing', async () => {
    const { rows } = await reportCostDrift({ database }, { by: ['model'], ...ANY });
    const unheard = rows.find(({ model }) => model === 'unheard-of');
    expect(unheard).toMatchObject({ calls: 1, calls_with_both: 0, share_with_both: '0.00' });
  });

  it('has no members of batched requests, whose reported cost is that of the whole', async () => {
    const { rows } = await reportCostDrift({ database }, { by: [], ...ANY });
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(8);
  });

  it('has totals in which the exact amounts of all rows are summed, and a month of periods', async () => {
    const { rows, totals } = await reportCostDrift({ database }, { by: ['model'], ...ANY });
    const sum = rows.reduce((all, { drift }) => all + exactPico(drift), 0n);
    expect(totals).toMatchObject([{ currency: 'USD', calls: 8, drift: formatPico(sum) }]);
    const none = await reportCostDrift({ database }, { by: ['model'], ...ANY, month: '2020-01' });
    expect(none).toEqual({ by: ['model'], rows: [], totals: [] });
  });
});

describe('the coverage of tags', () => {
  it('is of the known cost, by who sends what has not the tag, and why', async () => {
    const coverages = await reportTagCoverage({ database }, ANY);
    const of = (tag: string) => coverages.find((coverage) => coverage.tag === tag);
    // $4.6 of m, 0.2 of "other", 3 x 0.2 of n, and a member's 0.2; one model has no cost.
    expect(of('tenant')).toMatchObject({
      ...{ all_cost: '5.6', tagged_cost: '4.4', share: '78.57' },
      ...{ entries: 9, tagged_entries: 8, entries_without_cost: 1 },
      missing: [{ source: 'default', reason: 'nothing_tagged', entries: 1, cost: '1.2' }],
    });
    expect(of('feature')).toMatchObject({
      tagged_cost: '1.4',
      missing: [
        { source: 'default', reason: 'tag_missing', entries: 5, entries_without_cost: 1 },
        { source: 'default', reason: 'nothing_tagged', entries: 1 },
        { source: 'default', reason: 'member_untagged', entries: 1 },
        { source: 'other', reason: 'tag_missing', entries: 1 },
      ],
    });
  });

  it('is of the periods that begin in a month, or of days', async () => {
    const none = await reportTagCoverage({ database }, { ...ANY, month: '2020-01' });
    expect(none).toEqual([]);
  });
});
