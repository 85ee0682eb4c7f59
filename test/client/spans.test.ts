import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import {
  usageSpanProcessor,
  withUsageBaggage,
} from '../../src/client/spans/usage-span-processor.ts';
import { withUsage } from '../../src/client/usage-scope.ts';
import { freshApi } from '../support/api.ts';
import { freshDatabase, textRows } from '../support/database.ts';

/** Two services, each with the SDK itself: the tags of the first come to the ledger from the second. */
it('tags of withUsage stand on every span, and reach the next service as baggage', async () => {
  const database = await freshDatabase();
  const api = await freshApi(database);
  const exporter = new OTLPTraceExporter({
    url: `${api.url}/v1/traces`,
    headers: { authorization: `Bearer ${await api.key('ingest')}` },
  });
  const provider = new TracerProvider({
    spanProcessors: [usageSpanProcessor(propagation), new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('app');
  const call = (id: string) => ({
    attributes: {
      ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai' },
      ...{ 'gen_ai.request.model': 'gpt-4o', 'gen_ai.response.id': id },
      ...{ 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.output_tokens': 100 },
    },
  });
  const tags = { tenantId: 'acme', userId: 'ann', feature: 'search', tags: { plan: 'gold' } };
  const context = withUsage(tags, () => {
    tracer.startSpan('chat gpt-4o', call('chatcmpl-the-first-service')).end();
    return withUsageBaggage(propagation, ROOT_CONTEXT);
  });
  // In another process: nothing but the baggage is there, with a name that nobody asked for.
  const foreign = propagation.getBaggage(context)?.setEntry('outcome', { value: 'charged' });
  const arrived = foreign === undefined ? context : propagation.setBaggage(context, foreign);
  withUsage({ feature: 'answer' }, () => {
    tracer
      .startSpan('chat gpt-4o', call('chatcmpl-the-next-service'), trace.deleteSpan(arrived))
      .end();
  });
  await provider.forceFlush();
  await provider.shutdown();
  // Each span is sent by itself, so that either may come first.
  const entries = await textRows(
    database,
    `select tenant_id, user_id, feature, further_tags->>'plan' as plan from entries order by feature desc`,
  );
  expect(entries).toMatchObject([
    { tenant_id: 'acme', user_id: 'ann', feature: 'search', plan: 'gold' },
    { tenant_id: 'acme', user_id: 'ann', feature: 'answer', plan: null },
  ]);
});
