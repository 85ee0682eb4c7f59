import { expect } from 'vitest';
import type { Translation } from '../../src/events/foreign/translation.ts';
import { otlpTranslator } from '../../src/events/otlp/otlp.ts';

export type Attributes = Record<string, string | number>;

interface SpanFields {
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly scope?: string;
  readonly name?: string;
  readonly resource?: Attributes;
  readonly status?: { readonly code: number };
  readonly endTimeUnixNano?: string | number;
}

function attributeList(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: value },
  }));
}

export function span(attributes: Attributes, fields: SpanFields = {}): object {
  const { scope = 'gen_ai', resource = {}, ...rest } = fields;
  const whole = {
    traceId: '0AF7651916CD43DD8448EB211C80319C',
    spanId: 'b7ad6b7169203331',
    startTimeUnixNano: '1795307696717000000',
    endTimeUnixNano: '1795307696720175774',
    status: { code: 0 },
    attributes: attributeList(attributes),
    ...rest,
  };
  return {
    resource: { attributes: attributeList(resource) },
    scopeSpans: [{ scope: { name: scope }, spans: [whole] }],
  };
}

export function translate(...resourceSpans: readonly object[]): readonly Translation[] {
  return otlpTranslator.translate({ resourceSpans });
}

export function onlyEvent(...resourceSpans: readonly object[]) {
  const [translation, ...others] = translate(...resourceSpans);
  expect(others).toEqual([]);
  return translation?.event ?? {};
}

export const CHAT = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.request.model': 'gpt-4o',
  'gen_ai.usage.input_tokens': 100,
  'gen_ai.usage.output_tokens': 20,
};
