import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { seededRandom } from '../../src/demo/random.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import { STANDS } from '../../src/ledger/entries/entry-store.ts';
import {
  importBook,
  importBooks,
  makeTenant,
  nativeEvent,
  receiveEvents,
  sharedBook,
} from './ledger.ts';

export const OCTOBER_IS_OVER = () => parseInstant('2026-11-01T00:00:00Z');

/**
 * Fills a ledger with October of two tenants: usage of all kinds, splits, failures, gateway hits,
 * corrections, late usage, two prices.
 */
export async function randomOctober(database: Database, seed: number): Promise<void> {
  const { below, percent, pick } = seededRandom(seed);
  await importBooks(database, 'cost');
  const standard = sharedBook('standard') as {
    effective_from: string;
    models: { per_million: { output: string } }[];
  };
  const book = { ...standard, models: [...standard.models, REALTIME] };
  await importBook(database, book);
  const dearer = structuredClone(book);
  for (const model of dearer.models) model.per_million.output = '13.37';
  await importBook(database, { ...dearer, effective_from: '2026-10-16T00:00:00Z' });
  for (const tenant of ['acme', 'bolt']) await makeTenant(database, tenant);
  const events = Array.from({ length: 60 }, (_, index) => {
    const cached = below(50);
    const isSplit = percent(10);
    const model = pick(['gpt-4o', 'gpt-4o-mini', REALTIME.model]);
    return nativeEvent({
      event_id: `e-${seed}-${index}`,
      tenant_id: pick(['acme', 'bolt']),
      occurred_at: `2026-10-${pick(['03', '15', '16', '30'])}T12:00:00.${pick(['000', '123'])}Z`,
      requested_model: model,
      executed_model: pick(['gpt-4o', 'gpt-4o-mini']),
      status: pick(['ok', 'ok', 'ok', 'error']),
      gateway_cache: pick(['none', 'none', 'exact']),
      feature: pick(['tab\there', 'back\\slash', 'search', '=SUM(A1)', '"quoted", and\r\nmore']),
      tags: pick([{}, { team: "'apostrophe", 'a,b': '-1' }]),
      call_id: pick([undefined, `call-${index}`]),
      usage: {
        input_tokens: 100 + below(1000),
        cache_read_tokens: cached,
        output_tokens: below(500),
        ...(model === REALTIME.model && unitsBelow(below)),
      },
      ...(isSplit && {
        members: [
          { member_id: 'a', weight: 1 },
          { member_id: 'b', tenant_id: 'bolt', weight: 2 },
        ],
      }),
    });
  });
  await receiveEvents(database, events);
  const { rows: standing } = await database.pool.query<{ entry_id: bigint }>(
    `select entry_id from entries e where tenant_id = 'acme' and ${STANDS} order by entry_id limit 2`,
  );
  const note = { reason: 'counted twice', actor: 'ada' };
  const [first, second] = standing;
  const at = () => parseInstant('2026-10-31T00:00:00Z');
  if (first !== undefined)
    await postCorrections(database, at, [{ entryId: first.entry_id, change: null, note }]);
  if (second !== undefined) {
    await postCorrections(database, at, [
      { entryId: second.entry_id, change: { outputTokens: 7 }, note },
    ]);
  }
  await closePeriods({ database, clock: OCTOBER_IS_OVER }, { month: '2026-10', tenant_id: null });
}

/** A model with a price for everything that a call of it counts. */
const REALTIME = {
  model: 'gpt-realtime',
  per_million: {
    input: '4',
    output: '16',
    cache_read: '0.4',
    input_audio: '32',
    output_audio: '64',
  },
  per_image: '0.04',
  per_second: { audio: '0.0001' },
  per_thousand: { searches: '10' },
};

function unitsBelow(below: (bound: number) => number) {
  return {
    // Of the input and the output, which are more.
    ...{ input_audio_tokens: below(50), output_audio_tokens: 0 },
    ...{ images: below(3), audio_ms: below(9_999), searches: 1 + below(4) },
  };
}
