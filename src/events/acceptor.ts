import { z } from 'zod';

type Accepts = (value: unknown) => boolean;

/**
 * A quick check made from a zod schema, which stays the one source of what is valid. It says true only
 * of a value that the schema would take unchanged, but for unknown fields; false means nothing but that
 * zod must look, and say what is wrong. What it does not know of a schema it leaves to zod. Of reading an
 * event zod's parse is half, and nearly every event is valid.
 */
export function acceptorOf<Schema extends z.ZodType>(
  schema: Schema,
): (value: unknown) => value is z.infer<Schema> {
  const accepts = acceptor(schema);
  return (value): value is z.infer<Schema> => accepts(value);
}

function acceptor(schema: z.core.$ZodType): Accepts {
  const base = baseAcceptor(schema);
  const checks = (schema._zod.def.checks ?? []).map(checkAcceptor);
  if (checks.length === 0) return base;
  const [first, ...rest] = checks;
  if (first === undefined || rest.length > 0) {
    return (value) => base(value) && checks.every((accepts) => accepts(value));
  }
  return (value) => base(value) && first(value);
}

function baseAcceptor(schema: z.core.$ZodType): Accepts {
  if (schema instanceof z.ZodOptional) return orElse(undefined, acceptor(schema.def.innerType));
  if (schema instanceof z.ZodNullable) return orElse(null, acceptor(schema.def.innerType));
  if (schema instanceof z.ZodISODateTime) return matching(schema.def.pattern);
  if (schema instanceof z.ZodString) return (value) => typeof value === 'string';
  if (schema instanceof z.ZodNumber) return Number.isFinite;
  if (schema instanceof z.ZodBoolean) return (value) => typeof value === 'boolean';
  if (schema instanceof z.ZodUnknown) return () => true;
  if (schema instanceof z.ZodEnum) return oneOf(schema.options);
  if (schema instanceof z.ZodObject) return objectAcceptor(schema);
  if (schema instanceof z.ZodRecord) return recordAcceptor(schema);
  if (schema instanceof z.ZodArray) {
    const element = acceptor(schema.def.element);
    return (value) => Array.isArray(value) && value.every(element);
  }
  return leaveToZod;
}

const leaveToZod: Accepts = () => false;

function orElse(absent: null | undefined, inner: Accepts): Accepts {
  return (value) => value === absent || inner(value);
}

function matching(pattern: RegExp | undefined): Accepts {
  if (pattern === undefined) return leaveToZod;
  return (value) => typeof value === 'string' && pattern.test(value);
}

function oneOf(options: readonly unknown[]): Accepts {
  return (value) => options.includes(value);
}

/**
 * Looks at the fields that are there, of which there are far fewer than there may be; unknown ones are refused where the
 * object is strict.
 */
function objectAcceptor(schema: z.ZodObject): Accepts {
  const isStrict = schema.def.catchall instanceof z.ZodNever;
  if (schema.def.catchall !== undefined && !isStrict) return leaveToZod;
  const fields = Object.entries(schema.def.shape).map(([name, field]) => ({
    name,
    accepts: acceptor(field),
  }));
  const known = new Map(fields.map(({ name, accepts }) => [name, accepts]));
  const required = fields.filter(({ accepts }) => !accepts(undefined)).map(({ name }) => name);
  return (value) => {
    if (!isPlainObject(value)) return false;
    for (const name in value) {
      const accepts = known.get(name);
      if (accepts === undefined ? isStrict : !accepts(value[name])) return false;
    }
    return required.every((name) => Object.hasOwn(value, name));
  };
}

function recordAcceptor(schema: z.ZodRecord): Accepts {
  const acceptsKey = acceptor(schema.def.keyType);
  const acceptsValue = acceptor(schema.def.valueType);
  return (value) => {
    // zod drops a key of this name, and here nothing is ever dropped.
    if (!isPlainObject(value) || Object.hasOwn(value, '__proto__')) return false;
    return Object.keys(value).every((key) => acceptsKey(key) && acceptsValue(value[key]));
  };
}

/** A plain object is one as JSON makes it: with no fields but its own. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

function checkAcceptor(check: z.core.$ZodCheck<never>): Accepts {
  const def = check._zod.def as z.core.$ZodCheckDef & CheckLimits;
  switch (def.check) {
    case 'custom':
      return def.fn === undefined ? leaveToZod : (value) => def.fn?.(value) === true;
    case 'greater_than':
      return def.inclusive === true ? (value) => Number(value) >= Number(def.value) : leaveToZod;
    case 'less_than':
      return def.inclusive === true ? (value) => Number(value) <= Number(def.value) : leaveToZod;
    case 'min_length':
      return (value) => Array.isArray(value) && value.length >= Number(def.minimum);
    case 'max_length':
      return (value) => Array.isArray(value) && value.length <= Number(def.maximum);
    default:
      return leaveToZod;
  }
}

/** What the checks above carry, each its own. */
interface CheckLimits {
  readonly fn?: (value: unknown) => unknown;
  readonly value?: unknown;
  readonly inclusive?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}
