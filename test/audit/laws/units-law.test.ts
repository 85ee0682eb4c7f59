import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkSplits } from '../../../src/audit/laws/laws-store.ts';
import { checkPrices } from '../../../src/audit/laws/prices-law-store.ts';
import { openScope } from '../../../src/audit/laws/scope-store.ts';
import type { Database } from '../../../src/database/database.ts';
import type { TestDatabase } from '../../support/database.ts';
import { createDatabase } from '../../support/database.ts';
import { importBook, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { tamper } from '../../support/tamper.ts';
import { undone } from '../../support/undone.ts';
import { brokenLaws } from '../../support/worker.ts';

/** A call of every kind of unit, whole and split over two tenants, at prices of its own. */
async function fillWithUnits(database: Database): Promise<void> {
  const models = [
    {
      model: 'gpt-realtime',
      per_million: {
        ...{ input: '4', output: '16', cache_read: '0.4', cache_write_1h: '8', characters: '15' },
        ...{ input_audio: '32', output_audio: '64', output_image: '30' },
      },
      per_image: '0.04',
      per_second: { audio: '0.0001', video: '0.1' },
      per_thousand: { searches: '10', search_units: '2', pages: '1' },
    },
  ];
  const dated = { currency: 'USD', effective_from: '2026-01-01T00:00:00Z' };
  await importBook(database, { book: 'cost', kind: 'cost', ...dated, models });
  const list = { book: 'list', kind: 'charge', ...dated, caching: 'pass_through', models };
  await importBook(database, list);
  const usage = {
    ...{ input_tokens: 900, cache_read_tokens: 200, cache_write_tokens: 100, output_tokens: 300 },
    ...{ cache_write_1h_tokens: 60, input_audio_tokens: 100, input_image_tokens: 50 },
    ...{ cache_read_audio_tokens: 20, output_audio_tokens: 70, output_image_tokens: 30 },
    ...{ images: 3, audio_ms: 4_321, video_ms: 1_000, characters: 77, pages: 5, searches: 2 },
    search_units: 1,
  };
  const call = { requested_model: 'gpt-realtime', usage };
  const members = [
    { member_id: 'm1', weight: 1 },
    { member_id: 'm2', tenant_id: 'bolt', weight: 2 },
  ];
  await receiveEvents(database, [
    nativeEvent({ ...call, event_id: 'whole' }),
    nativeEvent({ ...call, event_id: 'split', members }),
  ]);
}

let ledger: { readonly database: TestDatabase; readonly drop: () => Promise<void> };
beforeAll(async () => {
  ledger = await createDatabase();
  await fillWithUnits(ledger.database);
});
afterAll(() => ledger.drop());

const more = (unit: string) =>
  `jsonb_set(units, '{${unit}}', to_jsonb((units ->> '${unit}')::bigint + 1))`;

it('holds where calls count every kind of unit', async () => {
  expect(await brokenLaws(ledger.database)).toEqual([]);
});

it.each([
  [
    2,
    'a member lost a search',
    `update entries set units = units - 'searches' where member_id = 'm1'`,
  ],
  [
    2,
    'a member has a second more of audio',
    `update entries set units = ${more('audio_ms')} where member_id = 'm2'`,
  ],
  [
    2,
    'a member has another audio token',
    `update entries set units = ${more('input_audio_tokens')} where member_id = 'm2'`,
  ],
  [
    2,
    'the whole call counted other images',
    `update entries set call_usage = jsonb_set(call_usage, '{images}', '4') where member_id <> ''`,
  ],
  [
    7,
    'an image was added',
    `update entries set units = ${more('images')} where event_id = 'whole'`,
  ],
  [
    7,
    'a character was added',
    `update entries set units = ${more('characters')} where event_id = 'whole'`,
  ],
  [7, 'all units are gone', `update entries set units = null where event_id = 'whole'`],
  [
    7,
    'a price of searches changed',
    `update price_rates set units = jsonb_set(units, '{searches}', '"10000000001"') where book = 'list'`,
  ],
  [
    7,
    'the price of pages is gone',
    `update price_rates set units = units - 'pages' where book = 'cost'`,
  ],
])('law %i names the row when %s', async (law, _, statement) => {
  const { violations } = await undone(ledger.database, async (inside) => {
    await tamper(inside, statement);
    const check = law === 2 ? checkSplits : checkPrices;
    return check(inside, await openScope(inside, 'full'));
  });
  expect(violations.join('\n')).toMatch(/ent_\d+/);
});
