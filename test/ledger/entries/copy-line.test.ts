import { expect, it } from 'vitest';
import { freshDatabase, textRows } from '../../support/database.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';

/** Texts that COPY's format would take for something else. */
const HOSTILE = [
  'tab\tin the middle',
  'line\nbreak',
  'carriage\rreturn',
  'both\r\n',
  'back\\slash',
  '\\N',
  '\\.',
  '\\t is no tab',
  'trailing\\',
  '\\\\N',
  '\u0001\u001f\u007f',
  'quote " and \' and ,',
  '日本語 🙂 é e\u0301',
  ' spaces ',
];

it('brings every text through COPY as it was sent', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard');
  const events = HOSTILE.map((text, index) =>
    nativeEvent({
      event_id: `${String(index).padStart(2, '0')}${text}`,
      source: text,
      tenant_id: 'acme',
      feature: text,
      user_id: text,
      agent_run_id: text,
      prompt_version: text,
      response_id: text,
      error_type: text,
      trace_id: text,
      span_id: text,
      parent_span_id: text,
      tags: { [text]: text },
    }),
  );

  await receiveEvents(database, events);

  const columns = `source, feature, user_id, agent_run_id, prompt_version, response_id,
    error_type, trace_id, span_id, parent_span_id`;
  const rows = await textRows(
    database,
    `select ${columns}, further_tags::text as tags, substr(event_id, 3) as event from entries
     order by substr(event_id, 1, 2)`,
  );
  expect(
    rows.map((row) => Object.values({ ...row, tags: null }).filter((value) => value !== null)),
  ).toEqual(HOSTILE.map((text) => Array(11).fill(text)));
  expect(rows.map((row) => JSON.parse(row['tags'] ?? ''))).toEqual(
    HOSTILE.map((text) => ({ [text]: text })),
  );
});

it('brings hostile tenants and models through COPY too', async () => {
  const database = await freshDatabase();
  const events = HOSTILE.map((text, index) =>
    nativeEvent({
      event_id: `e${index}`,
      tenant_id: text,
      requested_model: text,
      executed_model: text,
    }),
  );

  await receiveEvents(database, events);

  const rows = await textRows(
    database,
    'select tenant_id, requested_model, executed_model from entries order by entry_id',
  );
  expect(new Set(rows.map((row) => JSON.stringify(Object.values(row))))).toEqual(
    new Set(HOSTILE.map((text) => JSON.stringify([text, text, text]))),
  );
});
