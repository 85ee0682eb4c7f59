import { expect, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closePeriods } from '../../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { readStatements } from '../../../src/statements/statement-store.ts';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

const clock = () => parseInstant('2026-11-02T00:00:00Z');

it('layers that do not sum are scaled and marked so, through corrections, and told in the statement', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receiveEvents(database, [
    // 600 + 300 + 100 = 1,000 input, 100 output: the producer's own counts.
    nativeEvent({
      event_id: 'told',
      layers: { prompt: 600, tool: 300, memory: 100, response: 100 },
    }),
    // 3 : 2 : 0 of 1,000 = 600, 400, 0.
    nativeEvent({ event_id: 'scaled', layers: { prompt: 3, tool: 2, memory: 0, response: 0 } }),
    nativeEvent({ event_id: 'bare' }),
  ]);
  const [told] = await textRows(database, "select entry_id from entries where event_id = 'scaled'");
  await postCorrections(database, clock, [
    {
      entryId: BigInt(told?.['entry_id'] ?? -1),
      change: { feature: 'search' },
      note: { reason: 'a test', actor: 'ada' },
    },
  ]);
  expect(
    await textRows(
      database,
      'select event_id, prompt_tokens, tool_tokens, scaled from audit.layers order by entry_id',
    ),
  ).toEqual([
    { event_id: 'scaled', prompt_tokens: '600', tool_tokens: '400', scaled: 'true' },
    { event_id: 'told', prompt_tokens: '600', tool_tokens: '300', scaled: 'false' },
    { event_id: 'scaled', prompt_tokens: '-600', tool_tokens: '-400', scaled: 'true' },
    { event_id: 'scaled', prompt_tokens: '600', tool_tokens: '400', scaled: 'true' },
  ]);
  await closePeriods({ database, clock }, { month: '2026-10', tenant_id: null });
  const [statement] = await readStatements(database, { month: '2026-10', tenantId: 'acme' });
  // At 3.00 in and 12.00 out a million: 1,200 x 3 µ, 700 x 3 µ, 100 x 3 µ, 200 x 12 µ;
  // the call without layers is 1,000 x 3 µ + 100 x 12 µ.
  expect(statement?.layers).toEqual({
    calls: 2,
    scaled_calls: 1,
    lines: [
      { layer: 'prompt', tokens: '1200', exact: '0.0036' },
      { layer: 'tool', tokens: '700', exact: '0.0021' },
      { layer: 'memory', tokens: '100', exact: '0.0003' },
      { layer: 'response', tokens: '200', exact: '0.0024' },
      { layer: 'other', tokens: '1100', exact: '0.0042' },
    ],
  });
  expect(await brokenLaws(database)).toEqual([]);
});
