// An application that calls a provider under an instrumentation of others, whose spans the OpenTelemetry SDK sends.
// Its arguments: the instrumentation, and `json` or `protobuf`.
import Anthropic from '@anthropic-ai/sdk';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import OpenAI from 'openai';

const [instrumentation, encoding] = process.argv.slice(2);
const { PROVIDER_URL: providerUrl, COLLECTOR_URL: collectorUrl, COLLECTOR_KEY: key } = process.env;

const Exporter = encoding === 'json' ? JsonExporter : ProtobufExporter;
const exporter = new Exporter({
  url: `${collectorUrl}/v1/traces`,
  headers: { authorization: `Bearer ${key}` },
  compression: 'gzip',
});
/** Says on each span whose call it is, as applications do. */
const naming = {
  onStart: (span) => span.setAttribute('tenant_id', 'acme'),
  onEnd() {},
  async forceFlush() {},
  async shutdown() {},
};
const spanProcessors = [naming, new SimpleSpanProcessor({ exporter })];
const provider = new TracerProvider({ spanProcessors });

const PROMPT = 'the words of a customer';

async function callOpenAi() {
  const openai = new OpenAI({ apiKey: 'none', baseURL: `${providerUrl}/v1` });
  await openai.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: PROMPT }],
  });
}

async function callAnthropic() {
  const anthropic = new Anthropic({ apiKey: 'none', baseURL: providerUrl });
  await anthropic.messages.create({
    model: 'claude-sonnet-4-5',
    max_tokens: 100,
    messages: [{ role: 'user', content: PROMPT }],
  });
}

async function instrument(load, name, of) {
  const Instrumentation = (await load)[name];
  const instrumented = new Instrumentation();
  instrumented.setTracerProvider(provider);
  instrumented.manuallyInstrument(of);
}

const RUNS = {
  async 'traceloop-openai'() {
    await instrument(import('@traceloop/instrumentation-openai'), 'OpenAIInstrumentation', OpenAI);
    await callOpenAi();
  },
  async 'openinference-openai'() {
    const module = import('@arizeai/openinference-instrumentation-openai');
    await instrument(module, 'OpenAIInstrumentation', OpenAI);
    await callOpenAi();
  },
  async 'openinference-anthropic'() {
    const module = import('@arizeai/openinference-instrumentation-anthropic');
    await instrument(module, 'AnthropicInstrumentation', Anthropic);
    await callAnthropic();
  },
  async 'ai-sdk'() {
    const { generateText, registerTelemetry } = await import('ai');
    const { MockLanguageModelV4 } = await import('ai/test');
    const { OpenTelemetry } = await import('@ai-sdk/otel');
    registerTelemetry(new OpenTelemetry({ tracer: provider.getTracer('ai') }));
    const model = new MockLanguageModelV4({
      provider: 'openai.chat',
      modelId: 'gpt-4o',
      doGenerate: async () => ({
        content: [{ type: 'text', text: 'sunny' }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: {
          inputTokens: { total: 1200, noCache: 800, cacheRead: 400, cacheWrite: 0 },
          outputTokens: { total: 300, text: 200, reasoning: 100 },
        },
        response: { id: `chatcmpl-${process.pid}-${Date.now()}`, modelId: 'gpt-4o-2024-08-06' },
        warnings: [],
      }),
    });
    await generateText({ model, prompt: PROMPT });
  },
};

await RUNS[instrumentation]();
await provider.forceFlush();
await provider.shutdown();
