import { SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import { freshApi } from '../support/api.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

/** The OpenTelemetry SDK itself sends to a listening server, as an application's own does. */
it.each([
  ['http/json', JsonExporter],
  ['http/protobuf', ProtobufExporter],
])('a call that the SDK exports by %s is billed', async (_, Exporter) => {
  const database = await freshDatabase();
  await importBooks(database, 'standard', 'cost');
  const api = await freshApi(database);
  const key = await api.key('ingest');
  const exporter = new Exporter({
    url: `${api.url}/v1/traces`,
    headers: { authorization: `Bearer ${key}` },
    compression: 'gzip' as never,
  });
  const provider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const span = provider.getTracer('app').startSpan('chat gpt-4o', {
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.response.model': 'gpt-4o',
      'gen_ai.response.id': 'chatcmpl-abc',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 100,
      'gen_ai.input.messages': 'the words of a customer',
      tenant_id: 'acme',
      user_id: 'ann',
    },
  });
  span.setStatus({ code: SpanStatusCode.OK });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
  const entries = await textRows(
    database,
    'select tenant_id, user_id, outcome, charge, input_tokens, trace_id from audit.entries',
  );
  // 1,000 × $3 + 100 × $12 a million
  expect(entries).toMatchObject([
    {
      outcome: 'charged',
      charge: '0.0042',
      input_tokens: '1000',
      trace_id: span.spanContext().traceId,
    },
  ]);
  expect(entries[0]).toMatchObject({ tenant_id: 'acme', user_id: 'ann' });
  const { json } = await api.ask('/v1/traces', await api.key('reader'));
  expect(json.traces).toMatchObject([{ trace_id: span.spanContext().traceId, charge: '0.0042' }]);
  expect(await brokenLaws(database)).toEqual([]);
});
