import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { z } from 'zod';
import { explainFile } from './files.ts';
import { Refusal } from './refusal.ts';

/** Values with commas between them; none where it is not set. */
function listed<Value extends z.ZodType<string, string>>(value: Value) {
  return z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .pipe(z.array(value));
}

/**
 * The environment, read here and nowhere else. A variable `X` may be given as `X_FILE`, the path of
 * a file with the value, so that secrets can be mounted and never stand in a process list.
 */
const environment = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .optional(),
  SPANLEDGER_QUEUE_URL: z.url({ protocol: /^https?$/ }).optional(),
  SPANLEDGER_STRIPE_EVENTS_QUEUE_URL: z.url({ protocol: /^https?$/ }).optional(),
  AWS_ENDPOINT_URL_SQS: z.url({ protocol: /^https?$/ }).optional(),
  AWS_ENDPOINT_URL_S3: z.url({ protocol: /^https?$/ }).optional(),
  AWS_ENDPOINT_URL: z.url({ protocol: /^https?$/ }).optional(),
  AWS_REGION: z.string().min(1).optional(),
  STRIPE_API_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_/, 'must begin with sk_ or rk_')
    .optional(),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/ }).optional(),
  STRIPE_WEBHOOK_SECRET: z.string().min(1).optional(),
  SPANLEDGER_LITELLM_KEY: z.base64().optional(),
  SPANLEDGER_LITELLM_AAD: z.string().optional(),
  SPANLEDGER_FETCH_OBJECTS: z.enum(['yes', 'no']).default('no'),
  SPANLEDGER_EMAIL_IDENTIFIERS: z.enum(['keep', 'refuse', 'hash']).default('keep'),
  SPANLEDGER_EMAIL_KEY: z.string().min(16, 'must have 16 characters or more').optional(),
  SPANLEDGER_OLDEST_DAYS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be a whole number of days, 1 to 99999')
    .transform(Number)
    .optional(),
  SPANLEDGER_FONTS: z
    .string()
    .default('')
    .transform((folders) => folders.split(delimiter).filter((folder) => folder !== '')),
  SPANLEDGER_MODEL_MAP: z.string().min(1).optional(),
  SPANLEDGER_WEBHOOK_PRIVATE: z.enum(['yes', 'no']).default('no'),
  SPANLEDGER_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  SPANLEDGER_FRAME_ORIGINS: z
    .string()
    .default('')
    .transform((origins) => origins.split(/[\s,]+/).filter((origin) => origin !== ''))
    .pipe(
      z.array(
        z.string().regex(/^https?:\/\/[\w.*:-]+$/, 'must be origins, as https://app.example.com'),
      ),
    ),
  SPANLEDGER_CORS_ORIGINS: listed(
    z
      .string()
      .regex(/^https?:\/\/[\w.-]+(?::\d+)?$/, 'must be origins, as https://app.example.com'),
  ),
  SPANLEDGER_USER_HEADER: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, 'must be the name of a header, as X-Forwarded-User')
    .optional(),
  SPANLEDGER_USER_PROXY: listed(
    z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
      error: 'must be addresses or networks, as 10.0.0.7 or 10.0.0.0/24',
    }),
  ),
  SPANLEDGER_USER_ADMINS: listed(z.string().regex(/^[^*]+$/, 'must name each admin')),
  SPANLEDGER_USER_READERS: listed(z.string()),
  SPANLEDGER_INGEST_FOLDER: z.string().min(1).optional(),
  SPANLEDGER_INGEST_FOLDER_MB: z
    .string()
    .regex(/^(?:1[6-9]|[2-9]\d|[1-9]\d{2,6})$/, 'must be a whole number of megabytes, from 16 on')
    .default('1024')
    .transform(Number),
  SPANLEDGER_LANGWATCH_SECRET: z.string().min(16, 'must have 16 characters or more').optional(),
  SPANLEDGER_WORKER_USER: z.string().min(1).max(63, 'must have 63 characters or fewer').optional(),
  SPANLEDGER_WORKER_PASSWORD: z.string().min(16, 'must have 16 characters or more').optional(),
  SPANLEDGER_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info'),
});

export type Config = Readonly<z.infer<typeof environment>>;
export type RequiredVariable = Exclude<
  keyof Config,
  | 'SPANLEDGER_LOG_LEVEL'
  | 'SPANLEDGER_EMAIL_IDENTIFIERS'
  | 'SPANLEDGER_OLDEST_DAYS'
  | 'SPANLEDGER_FETCH_OBJECTS'
  | 'SPANLEDGER_FONTS'
  | 'SPANLEDGER_WEBHOOK_PRIVATE'
  | 'SPANLEDGER_FRAME_ORIGINS'
  | 'SPANLEDGER_CORS_ORIGINS'
  | 'SPANLEDGER_INGEST_FOLDER'
  | 'SPANLEDGER_INGEST_FOLDER_MB'
  | 'SPANLEDGER_LANGWATCH_SECRET'
  | 'SPANLEDGER_USER_HEADER'
  | 'SPANLEDGER_USER_PROXY'
  | 'SPANLEDGER_USER_ADMINS'
  | 'SPANLEDGER_USER_READERS'
>;

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables with which this process was started. */
export const processEnvironment: Environment = process.env;

/** Throws a `Refusal` that lists every wrong variable at once, without its value. */
export function readConfig(variables: Environment): Config {
  const given = Object.fromEntries(
    Object.keys(environment.shape).map((name) => [name, readVariable(variables, name)]),
  );
  const parsed = environment.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Refusal(
    'misconfigured',
    `the environment does not fit: ${faults.join('; ')}`,
    'correct these variables; README.md, "Configuration", says what each one is',
  );
}

/** The value of a variable that the command cannot do without. */
export function required(config: Config, name: RequiredVariable): string {
  const value = config[name];
  if (value !== undefined) return value;
  throw new Refusal(
    'misconfigured',
    `${name} is not set`,
    `set ${name} (or ${name}_FILE), such as ${EXAMPLES[name]}`,
  );
}

const EXAMPLES: Readonly<Record<RequiredVariable, string>> = {
  DATABASE_URL: 'postgres://spanledger@localhost:5432/spanledger',
  SPANLEDGER_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/123456789012/usage',
  SPANLEDGER_STRIPE_EVENTS_QUEUE_URL:
    'https://sqs.eu-central-1.amazonaws.com/123456789012/stripe-events',
  AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4566',
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
  AWS_REGION: 'eu-central-1',
  STRIPE_API_KEY:
    'rk_test_…, a restricted key that may write billing meters, meter events, products, prices, subscriptions and invoices, and read customers and events',
  STRIPE_API_BASE: 'http://127.0.0.1:12111',
  STRIPE_WEBHOOK_SECRET: 'whsec_…',
  SPANLEDGER_LITELLM_KEY: 'the base64 of the 32-byte key that LiteLLM encrypts with',
  SPANLEDGER_LITELLM_AAD: 'the additional data that LiteLLM encrypts with',
  SPANLEDGER_PUBLIC_URL: 'https://usage.example.com, where customers reach this server',
  SPANLEDGER_MODEL_MAP: 'models.json, a file that says what each deployment is',
  SPANLEDGER_WORKER_USER: 'ingest, the user as whom workers connect',
  SPANLEDGER_WORKER_PASSWORD:
    'what "openssl rand -base64 32" prints, as in the DATABASE_URL of workers',
  SPANLEDGER_EMAIL_KEY: 'what "openssl rand -base64 32" prints, kept for as long as the ledger',
};

/** A compose file writes a variable to which nobody gave a value as an empty one: it is not set. */
function readVariable(variables: Environment, name: string): string | undefined {
  const [value = '', file = ''] = [variables[name], variables[`${name}_FILE`]];
  if (value !== '') return value;
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Refusal(
      'misconfigured',
      `${name}_FILE names a file that cannot be read: ${explainFile(error, file)?.message ?? String(error)}`,
      `make the file readable, or set ${name} itself`,
    );
  }
}
