import { type Command, Option } from 'commander';
import { createKey } from '../../keys/create-key.ts';
import type { CreatedKeyAnswer, ListedKey } from '../../keys/key-answer.ts';
import {
  createKeyRequest,
  KEY_ROLES,
  type KeyRole,
  revokeKeyRequest,
} from '../../keys/key-answer.ts';
import { listKeys } from '../../keys/list-keys.ts';
import { revokeKey } from '../../keys/revoke-key.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readCount, readDay, readInstant } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';

export function addKey(program: Command): void {
  const group = program.command('key').description('keys of the HTTP server');
  addCreate(group);
  addList(group);
  addRevoke(group);
}

interface CreateFlags {
  readonly role: KeyRole;
  readonly name?: string;
  readonly tenant?: readonly string[];
  readonly source?: string;
  readonly rate?: number;
  readonly expires?: Expiry;
  readonly actor: string;
}

function addCreate(group: Command): void {
  const command = group
    .command('create')
    .description('make a key; it is shown once, and its hash is kept')
    .addOption(
      new Option('--role <role>', 'what it may do').choices(KEY_ROLES).makeOptionMandatory(),
    )
    .option('--name <name>', 'under which its acts are recorded')
    .option(
      '--tenant <tenant>',
      'of a tenant: whose usage it reads; of ingest: a tenant that it may name, again for each',
      (tenant: string, before: readonly string[] = []) => [...before, tenant],
    )
    .option('--source <source>', 'of ingest: the source of everything that it sends')
    .option('--rate <n>', 'requests a second', readCount)
    .option('--expires <when>', 'an instant, a day, or a time from now as 90d', readExpiry);
  perform<CreateFlags>(addActor(command), async (session, { options }) => {
    const { role, name = null, tenant = [], source = null, rate = null, actor } = options;
    const [only = null] = tenant;
    const isScoped = role === 'ingest' && tenant.length > 0;
    const request = readRequest(createKeyRequest, {
      role,
      name,
      source,
      rate,
      actor,
      tenant_id: role === 'ingest' ? null : only,
      tenant_ids: isScoped ? tenant : null,
      ...(options.expires ?? NEVER),
    });
    const answer = await createKey(session.parts(), request);
    session.out.answer(answer, describeCreated);
  });
}

interface Expiry {
  readonly expires_at: string | null;
  readonly expires_in_days: number | null;
}

const NEVER: Expiry = { expires_at: null, expires_in_days: null };

/** `90d`, a UTC day at whose begin the key ends, or an instant. */
function readExpiry(text: string): Expiry {
  const days = /^([1-9]\d{0,4})d$/.exec(text)?.[1];
  if (days !== undefined) return { ...NEVER, expires_in_days: Number(days) };
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? readDay(text) : null;
  return { ...NEVER, expires_at: day === null ? readInstant(text) : `${day}T00:00:00Z` };
}

function describeCreated(answer: CreatedKeyAnswer): string {
  return [
    answer.key,
    `key ${answer.key_id}, ${scopeOf(answer)}; it is shown this once, so keep it now`,
  ].join('\n');
}

function scopeOf(key: CreatedKeyAnswer | ListedKey): string {
  const parts = [
    key.role,
    key.tenant_id === null ? '' : `of tenant ${key.tenant_id}`,
    key.source === null ? '' : `source ${key.source}`,
    key.tenant_ids === null ? '' : `for tenants ${key.tenant_ids.join(', ')}`,
    key.expires_at === null ? '' : `until ${timeOf(key.expires_at)}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function addList(group: Command): void {
  const command = group.command('list').description('all keys, and what they may do');
  perform(command, async (session) => {
    const keys = await listKeys(session.parts());
    const text = session.out.table(keys, [
      { title: 'KEY', value: (row) => row.key_id },
      { title: 'NAME', value: (row) => row.name },
      { title: 'MAY', value: scopeOf },
      { title: 'STATE', value: (row) => row.state },
      { title: 'CREATED', value: (row) => timeOf(row.created_at), spare: true },
      { title: 'LAST USED', value: (row) => timeOf(row.last_used_at ?? '') },
    ]);
    session.out.answer(keys, keys.length === 0 ? 'there is no key' : text);
  });
}

function addRevoke(group: Command): void {
  const command = group
    .command('revoke')
    .argument('<key>', 'its id in the list, or the key itself')
    .description('refuse a key from now on');
  perform<{ actor: string }>(
    addActor(command),
    async (session, { args: [key_id = ''], options }) => {
      const request = readRequest(revokeKeyRequest, { key_id, actor: options.actor });
      const answer = await revokeKey(session.parts(), request);
      session.out.answer(answer, `key ${answer.key_id} is revoked`);
    },
  );
}
