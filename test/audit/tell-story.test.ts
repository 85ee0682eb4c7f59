import { expect, it } from 'vitest';
import { storyAnswer } from '../../src/audit/story-answer.ts';
import { tellEntryStory, tellEventStory } from '../../src/audit/tell-story.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { cli } from '../support/cli.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBook, importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

const eventOf = (event_id: string) => ({ source: 'default', event_id, as_of: null });

it('tells the whole story of an event: entry, correction, rates and period, amounts as strings', async () => {
  // given an entry that a person corrected
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent({ event_id: 'e-1' })]);
  const first = await tellEventStory({ database }, eventOf('e-1'));
  const entryId = String(first.entries[0]?.['entry_id']);
  const note = { reason: 'counted twice', actor: 'ada' };
  const change = { outputTokens: 0 };
  const request = { entryId: BigInt(entryId.slice(4)), change, note };
  await postCorrections(database, () => Date.parse('2026-10-21T00:00:00Z'), [request]);

  // when the story is read by the ledger's id
  const story = await tellEntryStory({ database }, { entry_id: entryId, as_of: null });

  // then it has the entry, its reversal and its replacement, and the rate behind them
  expect(story.entries.map((entry) => [entry['kind'], entry['reason']])).toEqual([
    ['usage', null],
    ['correction', 'counted twice'],
    ['correction', 'counted twice'],
  ]);
  const charges = story.entries.map((entry) => entry['charge']);
  expect(charges.every((charge) => typeof charge === 'string')).toBe(true);
  expect(charges[1]).toBe(`-${charges[0]}`);
  expect(story.rates.length).toBeGreaterThan(0);
  expect(story.periods).toHaveLength(1);
});

it('names the seal of each entry, and where in it the entry stands', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [nativeEvent({ event_id: 'a' }), nativeEvent({ event_id: 'b' })]);
  const before = await tellEventStory({ database }, eventOf('b'));
  expect(before.seals).toMatchObject([{ entry_id: 'ent_1000001', seal_number: null }]);
  await sealAll(database, () => Date.parse('2026-10-21T00:00:00Z'));
  const { seals } = await tellEventStory({ database }, eventOf('b'));
  expect(seals).toEqual([
    {
      entry_id: 'ent_1000001',
      entry_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      seal_number: 1,
      sealed_at: '2026-10-21T00:00:00+00:00',
      position: 1,
      entries: 2,
      root: expect.stringMatching(/^[0-9a-f]{64}$/),
      seal_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    },
  ]);
});

it('shows every unit with its price as the book gives it, the cost that was reported, and the call', async () => {
  // given a call that counted audio and images, and whose gateway says what it cost
  const database = await freshDatabase();
  await importBook(database, {
    ...{ book: 'studio', kind: 'charge', currency: 'USD', effective_from: '2026-01-01T00:00:00Z' },
    models: [
      {
        model: 'gpt-4o',
        per_million: { output: '10', input_audio: '40' },
        per_image: '0.04',
        per_second: { audio: '0.0001' },
        per_thousand: { searches: '10' },
      },
    ],
  });
  const reported_cost = { amount: '0.1234567', currency: 'EUR', source: 'litellm' };
  const usage = {
    input_tokens: 500,
    output_tokens: 0,
    input_audio_tokens: 500,
    images: 2,
    audio_ms: 1500,
  };
  const call = { event_id: 'e-1', usage, reported_cost, call_id: 'call-1' };
  await receiveEvents(database, [nativeEvent(call)]);

  // when it is asked for
  const { stdout } = await cli(['audit', 'event', 'default', 'e-1'], {
    DATABASE_URL: database.url,
  });
  const story = await tellEventStory({ database }, eventOf('e-1'));

  // then 500 × 0.00004 + 2 × 0.04 + 1.5 × 0.0001 = 0.02 + 0.08 + 0.00015
  const units = { input_audio_tokens: 500, images: 2, audio_ms: 1500 };
  const unit_prices = {
    ...{ input_audio_tokens: '40', images: '0.04', audio_ms: '0.0001', searches: '10' },
  };
  expect(storyAnswer.parse(story)).toMatchObject({
    entries: [
      {
        ...{ charge: '0.10015', units, input_tokens: 500, call_id: 'call-1' },
        ...{ reported_cost: '0.1234567', reported_cost_currency: 'EUR' },
        reported_cost_source: 'litellm',
      },
    ],
    rates: [{ input_per_million: null, output_per_million: '10', unit_prices }],
  });
  expect(stdout).toMatch(/units +images 2, audio_ms 1500, input_audio_tokens 500/);
  expect(stdout).toMatch(/unit_prices +images 0\.04, audio_ms 0\.0001, searches 10/);
});

it('says of an entry everything that the view for auditors has', async () => {
  const rows = await textRows(
    await freshDatabase(),
    `select attname from pg_attribute where attrelid = 'audit.entries'::regclass and attnum > 0
     order by attnum`,
  );
  const told = Object.keys(storyAnswer.shape.entries.unwrap().element.shape);
  expect(told).toEqual(rows.map((row) => row['attname']));
});

it('refuses an event and an entry that nobody knows, with the remedy', async () => {
  const database = await freshDatabase();
  await expect(tellEventStory({ database }, eventOf('nope'))).rejects.toThrow(/nothing is known/);
  await expect(tellEntryStory({ database }, { entry_id: 'ent_1', as_of: null })).rejects.toThrow(
    /no entry "ent_1"/,
  );
  await expect(tellEntryStory({ database }, { entry_id: 'rubbish', as_of: null })).rejects.toThrow(
    /no entry "rubbish"/,
  );
});

it('says of a second report which entry it repeats, whether it was posted or not', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const nobodys = { tenant_id: undefined };
  const answer = nativeEvent({ event_id: 'kept', response_id: 'r1' });
  await receiveEvents(database, [{ ...answer, ...nobodys, event_id: 'before' }]);
  await receiveEvents(database, [answer, { ...answer, event_id: 'after' }]);
  await foldAll(database, () => Date.parse('2026-10-21T00:00:00Z'));

  const stories = await Promise.all(
    ['before', 'kept', 'after'].map((id) => tellEventStory({ database }, eventOf(id))),
  );
  expect(stories.map((story) => storyAnswer.safeParse(story).success)).toEqual([true, true, true]);
  const [before, kept, after] = stories;
  const repeats = {
    because: 'response',
    repeats_entry_id: kept?.entries[0]?.entry_id,
    repeats_event_id: 'kept',
  };
  expect(kept?.second_reports).toEqual([]);
  expect(before?.second_reports).toMatchObject([{ tenant_id: 'unattributed', ...repeats }]);
  expect(before?.entries.map(({ is_reversal }) => is_reversal)).toEqual([false, true]);
  expect(after?.second_reports).toMatchObject([{ tenant_id: 'acme', ...repeats }]);
  expect(after?.entries).toEqual([]);
});
