import type { Command } from 'commander';
import type { ActAnswer, ActsAnswer, ChangedRow } from '../../audit/acts/acts-answer.ts';
import { actsRequest } from '../../audit/acts/acts-answer.ts';
import { listActs } from '../../audit/acts/list-acts.ts';
import { readRequest } from '../../request.ts';
import { counted } from '../../text/counted.ts';
import { readCount } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';

const ACTS_LISTED = 20;

export function addAuditActs(group: Command): void {
  const command = group
    .command('acts')
    .description('the journal: who did what, when and why, the newest first')
    .option('--tenant <tenant>', 'only what concerns this tenant')
    .option('--who <actor>', 'only of this person or key')
    .option('--act <act>', 'only of this kind, such as "tenant set"')
    .option('--from <day>', 'since this UTC day')
    .option('--to <day>', 'before this UTC day')
    .option('--all', 'also what the service does by itself')
    .option('--limit <acts>', 'at most so many', readCount, ACTS_LISTED)
    .option('--cursor <cursor>', 'go on where the answer before ended');
  perform<ActsFlags>(command, async (session, { options }) => {
    const { tenant = null, who = null, act = null, from = null, to = null } = options;
    const { all = false, limit, cursor = null } = options;
    const given = { tenant_id: tenant, who, act, from, to, all, limit, cursor };
    const answer = await listActs(session.parts(), readRequest(actsRequest, given));
    session.out.answer(answer, render);
  });
}

interface ActsFlags {
  readonly tenant?: string;
  readonly who?: string;
  readonly act?: string;
  readonly from?: string;
  readonly to?: string;
  readonly all?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

function render({ acts, next_cursor: next }: ActsAnswer): string {
  if (acts.length === 0) return 'nobody has done anything that fits';
  const more = next === null ? [] : [`more: --cursor ${next}`];
  return [...acts.map(renderAct), ...more].join('\n');
}

function renderAct(act: ActAnswer): string {
  const why = act.reason === null ? '' : `: ${act.reason}`;
  const posted = act.entries === 0 ? [] : [`  posted ${counted(act.entries, 'entry', 'entries')}`];
  const told = act.rows.filter(({ fields }) => fields.length > 0);
  const rest = act.changes - act.rows.length - (act.entries === 0 ? 0 : 1);
  return [
    `${act.at}  ${act.actor}  ${act.act}${why}`,
    ...(act.tenant_ids.length === 0 ? [] : [`  for ${act.tenant_ids.join(', ')}`]),
    ...posted,
    ...told.map(renderRow),
    ...(rest > 0 ? [`  and ${counted(rest, 'row')} more`] : []),
  ].join('\n');
}

function renderRow({ table, key, change, fields }: ChangedRow): string {
  const of = `  ${[table.replaceAll('_', ' '), ...namesOf(key), change].join(' ')}`;
  if (change !== 'changed') return of;
  const changed = fields.map(({ name, was, became }) => {
    return `${name.replaceAll('_', ' ')} ${was ?? 'none'} → ${became ?? 'none'}`;
  });
  return `${of}: ${changed.join(', ')}`;
}

/** A table of one row has a key that names nothing. */
function namesOf(key: ChangedRow['key']): readonly string[] {
  return Object.values(key).filter((value) => value !== 'true');
}
