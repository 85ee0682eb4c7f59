import { z } from 'zod';
import type { JsonObject } from '../events/foreign/foreign-value.ts';

/** One field of a request, as its schema has it. */
export interface RequestField {
  /** JSON Schema of what a client sends. */
  readonly schema: JsonObject;
  /** How a text is read for it, as parameters are texts. */
  readonly reads: 'text' | 'integer' | 'boolean' | 'list' | 'json';
  readonly isRequired: boolean;
  /** What holds where it is not given; undefined leaves it out. */
  readonly otherwise: unknown;
}

export type Fields = Readonly<Record<string, RequestField>>;

/** Returns the fields of a request; one that may be null need not be given. */
export function fieldsOf(
  request: z.ZodObject,
  defaults: Readonly<Record<string, unknown>> = {},
): Fields {
  const schema = jsonSchemaOf(request, 'input');
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonObject>>;
  const required = (schema['required'] ?? []) as readonly string[];
  const named = Object.entries(properties).map(([name, property]) => {
    const types = typesOf(property);
    const otherwise = Object.hasOwn(defaults, name)
      ? defaults[name]
      : types.includes('null')
        ? null
        : undefined;
    const isRequired = required.includes(name) && otherwise === undefined;
    return [name, { schema: property, reads: readingOf(types), isRequired, otherwise }] as const;
  });
  return Object.fromEntries(named);
}

/** Turns a zod schema into JSON Schema, which OpenAPI 3.1 takes as it is. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function typesOf(schema: JsonObject): readonly unknown[] {
  const { type, anyOf, enum: values } = schema;
  if (Array.isArray(type)) return type;
  if (typeof type === 'string') return [type];
  if (Array.isArray(anyOf)) return anyOf.flatMap((one) => typesOf(one as JsonObject));
  return Array.isArray(values) ? ['string'] : [];
}

function readingOf(types: readonly unknown[]): RequestField['reads'] {
  if (types.includes('array')) return 'list';
  if (types.includes('integer') || types.includes('number')) return 'integer';
  if (types.includes('boolean')) return 'boolean';
  return types.includes('object') ? 'json' : 'text';
}
