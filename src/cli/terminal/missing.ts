import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import { counted } from '../../text/counted.ts';
import { harmlessDocument } from '../../text/harmless.ts';
import { remedyText } from './commands-to-type.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/**
 * Says what keeps a month from being whole, one line each, and what to do about those with one
 * remedy.
 */
export function missingText(
  things: readonly MissingThing[],
  { wrap }: Pick<Output, 'wrap'>,
): string {
  const count = counted(things.length, 'thing');
  const byRemedy = Map.groupBy(
    harmlessDocument(things),
    ({ kind, remedy }) => `${kind}: ${remedyText(remedy)}`,
  );
  const lines = [...byRemedy.values()].flatMap((of) => [
    ...of.map((thing) => wrap(`${subjectOf(thing)}${thing.detail}`, '  ')),
    ...of.slice(0, 1).map(({ remedy }) => wrap(remedyText(remedy), '    ')),
  ]);
  return [`not whole, ${count} to look at:`, ...lines].join('\n');
}

/**
 * Answers what a command did, and names beside it what keeps the month from being whole: after the answer's
 * text, or with `--json` on stderr, since stdout has one document then. The exit code is 1 for it.
 */
export function sayMissing(
  session: Session,
  document: unknown,
  { text, missing }: { readonly text: string; readonly missing: readonly MissingThing[] },
): void {
  const isWhole = missing.length === 0;
  if (!isWhole) session.foundWrong();
  const said = isWhole ? '' : missingText(missing, session.out);
  session.out.answer(document, isWhole ? text : `${text}\n\n${said}`);
  if (!isWhole && session.out.json) session.terminal.stderr.write(`${said}\n`);
}

function subjectOf({ tenant_id, period_start }: MissingThing): string {
  const tenant = tenant_id === null ? [] : [`tenant ${JSON.stringify(tenant_id)}`];
  const period = period_start === null ? [] : [`period ${period_start}`];
  const subject = [...tenant, ...period].join(', ');
  return subject === '' ? '' : `${subject}: `;
}
