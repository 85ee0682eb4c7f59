import { type Command, Option } from 'commander';
import { listPushes } from '../../audit/list-entries.ts';
import { type PushesRequest, pushesRequest } from '../../audit/lists-answer.ts';
import type { StoryPush } from '../../audit/story-answer.ts';
import { readRequest } from '../../request.ts';
import { figureOf } from '../../text/counted.ts';
import { readCount, readMonth } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { amountOfMicro, timeOf } from '../terminal/figures.ts';
import { words } from '../terminal/words.ts';

const LISTED = 100;

interface ListFlags {
  readonly tenant?: string;
  readonly month?: string;
  readonly state?: NonNullable<PushesRequest['state']>;
  readonly limit: number;
}

/** The states in which a push may stand. */
const STATES = ['pending', 'sent', 'confirmed', 'ambiguous', 'parked'] as const;

export function addPushList(group: Command): void {
  const command = group
    .command('list')
    .description('what Stripe was told, or is to be told, and what became of it')
    .option('--tenant <tenant>', 'only of this one')
    .option('--month <month>', 'only of periods that begin in it, YYYY-MM', readMonth)
    .addOption(new Option('--state <state>', 'only these').choices(STATES))
    .option('--limit <n>', 'at most so many', readCount, LISTED);
  perform<ListFlags>(command, async (session, { options }) => {
    const { tenant: tenant_id = null, month = null, state = null, limit } = options;
    const request = readRequest(pushesRequest, { tenant_id, month, state, limit, cursor: null });
    const answer = await listPushes(session.parts(), request);
    const text = session.out.table(answer.pushes, [
      { title: 'TENANT', value: (row) => row.tenant_id },
      { title: 'PERIOD', value: (row) => row.period_start },
      { title: 'TO', value: (row) => words(row.destination) },
      { title: 'PUSHED', value: (row) => amountOfMicro(row.value), figure: true },
      { title: 'STATE', value: (row) => row.state },
      { title: 'ATTEMPTS', value: (row) => figureOf(row.attempts), figure: true, spare: true },
      { title: 'CONFIRMED', value: (row) => timeOf(row.confirmed_at ?? ''), spare: true },
      { title: 'IDENTIFIER', value: (row) => row.identifier, spare: true },
      { title: 'WAITS', value: waits, below: true },
    ]);
    const more = answer.next_cursor === null ? '' : '\n(--limit shows more)';
    session.out.answer(answer, answer.pushes.length === 0 ? noneText(state) : `${text}${more}`);
  });
}

function noneText(state: PushesRequest['state']): string {
  return state === null ? 'nothing was told' : `no push is ${state}`;
}

/** Tells what stands for a person to decide, with the name by which it is decided and what Stripe said last. */
function waits({ state, identifier, last_answer }: StoryPush): string {
  if (state !== 'parked' && state !== 'ambiguous') return '';
  return `${identifier}: ${last_answer ?? 'no answer'}`;
}
