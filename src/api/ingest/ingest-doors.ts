import { z } from 'zod';
import { takenAnswer } from '../../ingest/taking/taken-answer.ts';

/** A door by which producers send: where it is, what it takes, and in whose manner it answers. */
export interface IngestDoor {
  readonly path: string;
  readonly summary: string;
  /** Media types of bodies, for the reference; a body is told apart by its shape. */
  readonly types: readonly string[];
  readonly manner: 'events' | 'otlp';
  /** What an OTLP answer calls what was not taken. */
  readonly rejected: 'rejectedSpans' | 'rejectedLogRecords';
  readonly answer: z.ZodType;
}

const JSON_TYPES = ['application/json', 'application/x-ndjson'];
const CLOUD_EVENTS = ['application/cloudevents+json', 'application/cloudevents-batch+json'];
const OTLP_TYPES = ['application/json', 'application/x-protobuf'];

const otlpAnswer = z.strictObject({
  partialSuccess: z
    .strictObject({
      rejectedSpans: z.string().optional(),
      rejectedLogRecords: z.string().optional(),
      errorMessage: z.string(),
    })
    .optional(),
});

export const INGEST_DOORS: readonly IngestDoor[] = [
  {
    path: '/v1/events',
    summary: 'native events: one, a list, a pack, a line each; CloudEvents in every mode',
    types: [...JSON_TYPES, ...CLOUD_EVENTS],
    manner: 'events',
    rejected: 'rejectedSpans',
    answer: takenAnswer,
  },
  {
    path: '/v1/litellm',
    summary: 'what the generic_api callback of a LiteLLM proxy sends, in each log_format',
    types: JSON_TYPES,
    manner: 'events',
    rejected: 'rejectedSpans',
    answer: takenAnswer,
  },
  {
    path: '/v1/langwatch',
    summary: "billing events of LangWatch's gateway, by a key or signed by its secret",
    types: JSON_TYPES,
    manner: 'events',
    rejected: 'rejectedSpans',
    answer: takenAnswer,
  },
  {
    path: '/v1/traces',
    summary: 'OpenTelemetry spans by OTLP/HTTP',
    types: OTLP_TYPES,
    manner: 'otlp',
    rejected: 'rejectedSpans',
    answer: otlpAnswer,
  },
  {
    path: '/v1/logs',
    summary: 'OpenTelemetry log records by OTLP/HTTP, such as those of coding agents',
    types: OTLP_TYPES,
    manner: 'otlp',
    rejected: 'rejectedLogRecords',
    answer: otlpAnswer,
  },
];
