import { z } from 'zod';
import { listOf } from '../fields.ts';

export const migrationRequest = z.strictObject({
  /** Distribute by tenant what grows with usage, where Citus is present. */
  citus: z.boolean(),
  /** Make the roles of worker, reader and tenant, and grant what each needs. */
  roles: z.boolean(),
});
export type MigrationRequest = z.output<typeof migrationRequest>;

export const migrationAnswer = z.strictObject({
  /** The migrations that were missing, in their order. */
  applied: listOf(z.string()),
  /** `absent`: this database has no Citus. Null where it was not asked for, and nothing is distributed. */
  citus: z.enum(['absent', 'distributed', 'already_distributed']).nullable(),
  /** Whether the roles were asked for, and now have what they need. */
  roles: z.boolean(),
  /** The user as whom workers connect, which was made or given its password; null where none is named. */
  worker_login: z.string().nullable(),
});
export type MigrationAnswer = z.infer<typeof migrationAnswer>;
