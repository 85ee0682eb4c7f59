import type { Command } from 'commander';
import { linkAddress } from '../../console/customer/link-address.ts';
import { createKey } from '../../keys/create-key.ts';
import { createKeyRequest, revokeKeyRequest } from '../../keys/key-answer.ts';
import { listKeys } from '../../keys/list-keys.ts';
import { revokeKey } from '../../keys/revoke-key.ts';
import { readRequest } from '../../request.ts';
import { addActor } from '../terminal/actor.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { timeOf } from '../terminal/figures.ts';

const DAYS = 30;

export function addLink(program: Command): void {
  const group = program.command('link').description('links to the pages of customers');
  addCreate(group);
  addList(group);
  addRevoke(group);
}

function addCreate(group: Command): void {
  const command = group
    .command('create')
    .argument('<tenant>', 'whose page it opens')
    .description('make a link that ends; it is shown once')
    .option('--days <n>', 'for how many days it holds', readCount, DAYS);
  perform<{ days: number; actor: string }>(
    addActor(command),
    async (session, { args: [tenant_id = ''], options }) => {
      const request = readRequest(createKeyRequest, {
        role: 'link',
        tenant_id,
        expires_in_days: options.days,
        actor: options.actor,
        name: null,
        source: null,
        tenant_ids: null,
        rate: null,
        expires_at: null,
      });
      const answer = await createKey(session.parts(), request);
      const address = linkAddress(answer.key, session.config.SPANLEDGER_PUBLIC_URL ?? null);
      const made = { ...answer, key: address };
      session.out.answer(
        made,
        (shown) =>
          `${address}\nlink ${shown.key_id} of tenant ${shown.tenant_id}, until ${timeOf(shown.expires_at ?? '')}; it is shown this once`,
      );
    },
  );
}

function addList(group: Command): void {
  const command = group.command('list').description('all links, and until when they hold');
  perform(command, async (session) => {
    const links = (await listKeys(session.parts())).filter(({ role }) => role === 'link');
    const text = session.out.table(links, [
      { title: 'LINK', value: (row) => row.key_id },
      { title: 'TENANT', value: (row) => row.tenant_id ?? '' },
      { title: 'STATE', value: (row) => row.state },
      { title: 'UNTIL', value: (row) => timeOf(row.expires_at ?? '') },
      { title: 'LAST USED', value: (row) => timeOf(row.last_used_at ?? '') },
    ]);
    session.out.answer(links, links.length === 0 ? 'there is no link' : text);
  });
}

function addRevoke(group: Command): void {
  const command = group
    .command('revoke')
    .argument('<link>', 'its id in the list')
    .description('end a link now');
  perform<{ actor: string }>(
    addActor(command),
    async (session, { args: [key_id = ''], options }) => {
      const request = readRequest(revokeKeyRequest, { key_id, actor: options.actor });
      const answer = await revokeKey(session.parts(), request);
      session.out.answer(answer, `link ${answer.key_id} is revoked`);
    },
  );
}
