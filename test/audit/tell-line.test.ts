import { expect, it } from 'vitest';
import { listLines, tellLine } from '../../src/audit/tell-line.ts';
import { tellEntryStory } from '../../src/audit/tell-story.ts';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { formatPico, parseDecimal } from '../../src/money.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

const clock = () => parseInstant('2026-11-02T00:00:00Z');
const OCTOBER = { tenant_id: 'acme', period: '2026-10' };

/** Two models, failed calls, a fallback, a batch, a cached prompt, and a correction before the close. */
async function closedOctober() {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const usage = { input_tokens: 1000, output_tokens: 100, cache_read_tokens: 400 };
  await receiveEvents(database, [
    nativeEvent({ event_id: 'plain' }),
    nativeEvent({ event_id: 'cached', usage }),
    nativeEvent({ event_id: 'mini', requested_model: 'gpt-4o-mini' }),
    nativeEvent({ event_id: 'fallback', executed_model: 'gpt-4o-mini' }),
    nativeEvent({ event_id: 'failed', status: 'error' }),
    nativeEvent({
      event_id: 'batch',
      members: [
        { member_id: 'm1', tenant_id: 'acme', weight: 2 },
        { member_id: 'm2', tenant_id: 'birch', weight: 1 },
      ],
    }),
  ]);
  const [plain] = await textRows(database, "select entry_id from entries where event_id = 'plain'");
  await postCorrections(database, () => parseInstant('2026-10-21T00:00:00Z'), [
    {
      entryId: BigInt(plain?.['entry_id'] ?? -1),
      change: { outputTokens: 150 },
      note: { reason: 'a test', actor: 'ada' },
    },
  ]);
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  return database;
}

it('from a line to its entries: their parts sum to the line, whichever line it is', async () => {
  const database = await closedOctober();
  const { lines } = await listLines({ database }, OCTOBER);
  expect(lines.map(({ model, meter }) => `${model} ${meter}`)).toEqual([
    'gpt-4o input',
    'gpt-4o cache_read',
    'gpt-4o output',
    'gpt-4o-mini input',
    'gpt-4o-mini output',
  ]);
  for (const { number } of lines) {
    const story = await tellLine({ database }, { ...OCTOBER, line: number, limit: 100 });
    expect(story.exact_sum).toBe(story.line.exact);
    expect(story.listed).toHaveLength(story.entries);
    const sum = story.listed.reduce((all, { exact }) => all + (parseDecimal(exact, 12) ?? 0n), 0n);
    expect(formatPico(sum)).toBe(story.line.exact);
  }
});

it('a line names its rule, and its entries the price version that they were charged by', async () => {
  const database = await closedOctober();
  const story = await tellLine({ database }, { ...OCTOBER, line: 3, limit: 2 });
  expect(story.rule).toContain('output, reasoning included');
  // plain, its reversal and its replacement, cached, fallback and a member: 6
  expect(story.entries).toBe(6);
  expect(story.listed).toHaveLength(2);
  // 100 - 100 + 150 of plain, 100 cached, 100 fallback, 67 of 100 over 2 : 1 = 417 x 12 µ
  expect(story.line).toMatchObject({ quantity: '417', rate: '12', exact: '0.005004' });
  expect(story.listed[0]).toMatchObject({
    price_book: 'standard',
    price_version: '2026-01-01T00:00:00.000Z',
  });
});

it('and back: an entry names the lines that it stands in, and the rules of its amounts', async () => {
  const database = await closedOctober();
  const [cached] = await textRows(
    database,
    "select entry_id from entries where event_id = 'cached'",
  );
  const story = await tellEntryStory(
    { database },
    { entry_id: cached?.['entry_id'] ?? '', as_of: null },
  );
  // 600 x 3 µ, 400 cached x 3 µ (work done), 100 x 12 µ
  expect(story.lines.map(({ line, meter, exact }) => [line, meter, exact])).toEqual([
    [1, 'input', '0.0018'],
    [2, 'cache_read', '0.0012'],
    [3, 'output', '0.0012'],
  ]);
  expect(story.rules.map(({ rule }) => rule)).toEqual([
    'charged on the model requested, gpt-4o, at price book standard of 2026-01-01T00:00:00.000Z',
    'costed on the model executed, gpt-4o, at price book provider-list of 2026-01-01T00:00:00.000Z',
  ]);
});

it('an entry that was not charged stands in no line, and says why', async () => {
  const database = await closedOctober();
  const [failed] = await textRows(
    database,
    "select entry_id from entries where event_id = 'failed'",
  );
  const story = await tellEntryStory(
    { database },
    { entry_id: failed?.['entry_id'] ?? '', as_of: null },
  );
  expect(story.lines).toEqual([]);
  expect(story.rules[0]?.rule).toBe('a failed call is not charged');
});

it('refuses a line that is not there, and a period that is not closed', async () => {
  const database = await closedOctober();
  await expect(tellLine({ database }, { ...OCTOBER, line: 9, limit: 1 })).rejects.toMatchObject({
    kind: 'not_found',
    message: expect.stringContaining('no line 9'),
  });
  await expect(listLines({ database }, { ...OCTOBER, period: '2026-11' })).rejects.toMatchObject({
    kind: 'too_early',
  });
});
