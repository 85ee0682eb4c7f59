import type { JsonObject } from '../events/foreign/foreign-value.ts';
import { type Fields, jsonSchemaOf, type RequestField } from './fields-of.ts';
import { fieldNamed } from './given.ts';
import type { IngestDoor } from './ingest/ingest-doors.ts';
import type { Route } from './route.ts';
import { schemaShownToTenants } from './tenant-sight.ts';

/** Returns the OpenAPI 3.1 document of the table of routes, whose schemas it takes as they are. */
export function openApiOf(
  routes: readonly Route[],
  doors: readonly IngestDoor[],
  version: string,
): JsonObject {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const at = paths[route.path] ?? {};
    paths[route.path] = { ...at, [route.method.toLowerCase()]: operationOf(route) };
  }
  for (const door of doors) {
    paths[door.path] = { ...paths[door.path], post: doorOperation(door) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Spanledger',
      version,
      summary: 'Usage-based billing of LLM calls: a ledger, its statements, and what it takes in',
      description: DESCRIPTION,
    },
    servers: [{ url: '/' }],
    tags: [...new Set(['ingest', ...routes.map(({ about }) => about)])].map((name) => ({ name })),
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: KEY_DESCRIPTION } },
      schemas: { Problem: PROBLEM_SCHEMA },
    },
  };
}

const DESCRIPTION = [
  'Amounts are exact decimal strings in the major unit, instants RFC 3339 in UTC, days YYYY-MM-DD.',
  'Long lists answer `next_cursor`, which the next request gives as `cursor`.',
  "A tenant's key is answered about its own tenant, and without what it may not see: cost, provider, executed model, margin. Such a field says so, and is not required.",
  'Actions take an `Idempotency-Key`: the same request again is answered as before and does nothing.',
].join('\n\n');

const KEY_DESCRIPTION = 'A key from whoever runs the server';

function operationOf(route: Route): JsonObject {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const taken = new Set(['actor', ...inPath.map((name) => fieldNamed(name, route.fields))]);
  const others = Object.entries(route.fields).filter(([name]) => !taken.has(name));
  const isQuestion = route.method === 'GET';
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/\W+/g, '_')}`.replace(
      /_$/,
      '',
    ),
    summary: route.summary,
    tags: [route.about],
    description: `For keys with the role ${route.roles.join(', ')}.`,
    parameters: [
      ...inPath.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...(isQuestion ? others.map(([name, field]) => parameterOf(name, field)) : [IDEMPOTENCY_KEY]),
    ],
    ...(isQuestion || others.length === 0
      ? {}
      : { requestBody: bodyOf(Object.fromEntries(others)) }),
    responses: responsesOf(route),
  };
}

function responsesOf(route: Route): JsonObject {
  const { forms, otherStatuses = [] } = route;
  const json = { 'application/json': { schema: answerSchemaOf(route) } };
  const content = { ...json, ...Object.fromEntries(forms.map((form) => [form, {}])) };
  const others = otherStatuses.map((status) => [
    status,
    { description: 'the answer, which is a refusal', content: json },
  ]);
  return {
    200: { description: 'the answer', content },
    ...Object.fromEntries(others),
    default: PROBLEM,
  };
}

/** One document is for all keys, so that what a tenant's key is not shown is required of no answer that it may get. */
function answerSchemaOf({ answer, roles, isWholeForTenants = false }: Route): JsonObject {
  const schema = jsonSchemaOf(answer, 'output');
  return roles.includes('tenant') && !isWholeForTenants ? schemaShownToTenants(schema) : schema;
}

function doorOperation({ path, summary, types, answer }: IngestDoor): JsonObject {
  return {
    operationId: `post${path.replaceAll(/\W+/g, '_')}`,
    summary,
    tags: ['ingest'],
    description:
      'For keys with the role ingest, admin. Bodies may be compressed with gzip or zstd.',
    requestBody: { required: true, content: Object.fromEntries(types.map((type) => [type, {}])) },
    responses: {
      '2XX': {
        description: 'what became of each event; it is answered once the events are kept',
        content: { 'application/json': { schema: jsonSchemaOf(answer, 'output') } },
      },
      default: PROBLEM,
    },
  };
}

function parameterOf(name: string, { schema, isRequired, otherwise }: RequestField): JsonObject {
  const { description, ...rest } = schema;
  const isList = rest['type'] === 'array';
  return {
    name,
    in: 'query',
    required: isRequired,
    ...(description === undefined ? {} : { description }),
    ...(isList ? { style: 'form', explode: false } : {}),
    schema: otherwise === undefined || otherwise === null ? rest : { ...rest, default: otherwise },
  };
}

function bodyOf(fields: Fields): JsonObject {
  const properties = Object.entries(fields).map(([name, { schema }]) => [name, schema]);
  const required = Object.entries(fields).flatMap(([name, { isRequired }]) =>
    isRequired ? [name] : [],
  );
  const schema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
  return { required: required.length > 0, content: { 'application/json': { schema } } };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: 200 },
};

const PROBLEM = {
  description: 'a problem, with its kind and a remedy',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'kind', 'detail', 'remedy'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    kind: { type: 'string' },
    detail: { type: 'string' },
    remedy: { type: 'string' },
    operations: { type: 'array', items: { type: 'object' } },
  },
};
