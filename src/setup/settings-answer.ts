import { z } from 'zod';
import { listOf } from '../fields.ts';

/** A first setting of everything that a process reads from its environment. */
export const settingsRequest = z.strictObject({
  /** The file that is written; one that is there stays as it is. */
  file: z.string().min(1),
  database_url: z.string().regex(/^postgres(ql)?:\/\/\S+$/, 'must begin with postgres://'),
  /** The address of a queue, or the name of one, which is made where it is not there; null for none yet. */
  queue: z
    .union([
      z.url({ protocol: /^https?$/ }),
      z
        .string()
        .regex(/^[\w-]{1,64}$/, 'must be an address, or a name of letters, digits, - and _'),
    ])
    .nullable(),
  /** AWS's region; null for what the SDK finds. */
  region: z.string().min(1).nullable(),
  /** An SQS that is not AWS's. */
  endpoint: z.url({ protocol: /^https?$/ }).nullable(),
  stripe_api_key: z
    .string()
    .regex(/^(sk|rk)_(test|live)_\S+$/, 'must begin with sk_ or rk_')
    .nullable(),
  /** The file that holds the key, to be named in place of it. */
  stripe_api_key_file: z.string().min(1).nullable(),
  /** Where Stripe is asked, such as a Stripe double's address; null for Stripe itself. */
  stripe_api_base: z.string().min(1).nullable(),
});
export type SettingsRequest = z.output<typeof settingsRequest>;

const settledQueue = z.strictObject({
  queue_url: z.string(),
  /** `given` by its address, `found` by its name, or `made`. */
  state: z.enum(['given', 'found', 'made']),
  /** The queue that takes what is received again and again; null where there is none, or nobody looked. */
  dead_letters: z.string().nullable(),
});
export type SettledQueue = z.infer<typeof settledQueue>;

export const settingsAnswer = z.strictObject({
  written: z.string(),
  /** The variables that have a value in it. */
  variables: listOf(z.string()),
  queue: settledQueue.nullable(),
  /** What does not work yet, and what to do. */
  lacks: listOf(z.string()),
});
export type SettingsAnswer = z.infer<typeof settingsAnswer>;
