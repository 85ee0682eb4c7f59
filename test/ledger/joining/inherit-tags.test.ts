import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseInstant, systemClock } from '../../../src/clock.ts';
import { postCorrections } from '../../../src/ledger/corrections/post-corrections.ts';
import { foldAll } from '../../../src/ledger/rollups/fold-batches.ts';
import { cases } from '../../support/cases.ts';
import { freshDatabase, resetTables, textRows } from '../../support/database.ts';
import { importBooks, makeTenant, receive } from '../../support/ledger.ts';
import { brokenLaws } from '../../support/worker.ts';

/**
 * A run whose tenant stands on its root, whose user and feature on steps below, and whose calls have nothing of
 * their own but one, which has a tenant: as the spans of AI SDK 7 lie, with a root that is the last to end.
 */
const SPANS = [
  span('a1', null, { 'gen_ai.operation.name': 'invoke_agent', tenant_id: 'acme' }),
  span('a2', 'a1', { 'gen_ai.operation.name': 'agent_step', 'user.id': 'ann' }),
  span('a3', 'a2', { 'gen_ai.operation.name': 'execute_tool', feature: 'search' }),
  call('b1', 'a2', { input: 1000, response: 'r-1' }),
  call('b2', 'a3', { input: 2000 }),
  call('b3', 'a3', { input: 4000, tenant: 'birch' }),
  // A wrapper that names no operation, and the call within it.
  span('c1', 'a2', { ...usage(9999), 'gen_ai.request.model': 'gpt-4o' }),
  call('c2', 'c1', { input: 8000, response: 'r-2' }),
  call('d1', null, { input: 16_000 }),
];

function usage(input: number) {
  return { 'gen_ai.usage.input_tokens': input, 'gen_ai.usage.output_tokens': 0 };
}

function call(
  id: string,
  parent: string | null,
  of: { readonly input: number; readonly response?: string; readonly tenant?: string },
) {
  return span(id, parent, {
    ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai' },
    ...{ 'gen_ai.request.model': 'gpt-4o', ...usage(of.input) },
    ...(of.response === undefined ? {} : { 'gen_ai.response.id': of.response }),
    ...(of.tenant === undefined ? {} : { tenant_id: of.tenant }),
  });
}

function span(id: string, parent: string | null, attributes: object) {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: id.padEnd(16, '0'),
    ...(parent === null ? {} : { parentSpanId: parent.padEnd(16, '0') }),
    name: id,
    startTimeUnixNano: '1792065598000000000',
    endTimeUnixNano: '1792065600000000000',
    attributes,
  };
}

const bodyOf = (spans: readonly object[]) =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope: { name: 'gen_ai' }, spans }] }] });

const AT = '2026-10-20T12:00:00Z';
const STANDING = `not is_reversal and not exists (select from entries c where c.corrects_entry_id = e.entry_id)`;

/** In micro-dollars at 3.00 a million, and what nobody is charged for. */
const EXPECTED = [
  { span: 'b1', tenant: 'acme', user: 'ann', feature: null, charge: '3000000000' },
  { span: 'b2', tenant: 'acme', user: 'ann', feature: 'search', charge: '6000000000' },
  { span: 'b3', tenant: 'birch', user: null, feature: null, charge: '12000000000' },
  { span: 'c2', tenant: 'acme', user: 'ann', feature: null, charge: '24000000000' },
  { span: 'd1', tenant: 'unattributed', user: null, feature: null, charge: '0' },
];

it('a call has the tenant of the spans around it, in whichever messages and order they come', async () => {
  const database = await freshDatabase({ connections: 4 });
  const messageOf = fc.array(fc.nat({ max: 3 }), {
    ...{ minLength: SPANS.length, maxLength: SPANS.length },
  });
  const delivery = fc.record({
    messageOf,
    order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 }),
    folded: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(delivery, async ({ messageOf: place, order, folded }) => {
      await resetTables(database);
      await importBooks(database, 'standard', 'cost');
      for (const message of order) {
        const spans = SPANS.filter((_, index) => place[index] === message);
        if (spans.length > 0) await receive(database, [bodyOf(spans)], AT);
        if (folded) await foldAll(database, systemClock);
      }
      await foldAll(database, systemClock);
      const rows = await textRows(
        database,
        `select left(span_id, 2) as span, tenant_id as tenant, charge
         from entries e where ${STANDING} order by span_id`,
      );
      expect(rows).toEqual(
        EXPECTED.map(({ span: id, tenant, charge }) => ({ span: id, tenant, charge })),
      );
      const tagged = await textRows(
        database,
        `select left(span_id, 2) as span, user_id as user, feature
         from entries e where ${STANDING} and tenant_id = 'acme' order by span_id`,
      );
      expect(tagged).toEqual(
        EXPECTED.filter(({ tenant }) => tenant === 'acme').map(({ span: id, user, feature }) => ({
          ...{ span: id, user, feature },
        })),
      );
      expect(await brokenLaws(database)).toEqual([]);
    }),
    cases(8),
  );
});

it('what a person moved back, or took back, is left as it is', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await receive(database, [bodyOf(SPANS.slice(3, 5))], AT);
  const [first] = await textRows(database, `select entry_id from entries where span_id like 'b1%'`);
  const note = { reason: 'a test', actor: 'ada' };
  const entryId = BigInt(String(first?.['entry_id']));
  await postCorrections(database, () => parseInstant(AT), [{ entryId, change: null, note }]);
  await receive(database, [bodyOf(SPANS.slice(0, 3))], AT);
  await foldAll(database, systemClock);
  const rows = await textRows(
    database,
    `select left(span_id, 2) as span, tenant_id, actor, reason from entries e where ${STANDING}`,
  );
  expect(rows).toEqual([
    {
      ...{ span: 'b2', tenant_id: 'acme', actor: 'spanledger:tags' },
      reason: 'the call names no tenant, and a span around it is of acme',
    },
  ]);
});

it('a call within one that a person gave to a tenant is left to a person, too', async () => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'birch');
  await receive(database, [bodyOf([call('b1', 'a1', { input: 1000, response: 'r-1' })])], AT);
  const [first] = await textRows(database, 'select entry_id from entries');
  const note = { reason: 'a test', actor: 'ada' };
  const entryId = BigInt(String(first?.['entry_id']));
  const change = { tenantId: 'birch' };
  await postCorrections(database, () => parseInstant(AT), [{ entryId, change, note }]);
  await receive(database, [bodyOf([call('c1', 'b1', { input: 2000 }), ...SPANS.slice(0, 1)])], AT);
  await foldAll(database, systemClock);
  const rows = await textRows(
    database,
    `select left(span_id, 2) as span, tenant_id from entries e where ${STANDING} order by span_id`,
  );
  expect(rows).toEqual([
    { span: 'b1', tenant_id: 'birch' },
    { span: 'c1', tenant_id: 'unattributed' },
  ]);
});
