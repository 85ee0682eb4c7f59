import { expect, it } from 'vitest';
import { tellEntryStory, tellEventStory } from '../../src/audit/tell-story.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../support/ledger.ts';

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
