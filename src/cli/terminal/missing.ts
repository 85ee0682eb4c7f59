import type { MissingThing } from '../../month/completeness/missing-answer.ts';
import { counted } from './figures.ts';
import type { Output } from './output.ts';
import type { Session } from './session.ts';

/** What keeps a month from being whole, one line each, and what to do about each kind. */
export function missingText(
  things: readonly MissingThing[],
  { wrap }: Pick<Output, 'wrap'>,
): string {
  const count = counted(things.length, 'thing');
  const byKind = Map.groupBy(things, ({ kind }) => kind);
  const lines = [...byKind].flatMap(([kind, of]) => [
    ...of.map((thing) => wrap(`${subjectOf(thing)}${thing.detail}`, '  ')),
    wrap(REMEDIES[kind], '    '),
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

const REMEDIES: Readonly<Record<MissingThing['kind'], string>> = {
  quarantined:
    '"spanledger quarantine list" shows them; replay, accept or dismiss each, and send anew what was wrong',
  under_two_tenants: 'say which stands: "spanledger correct ENTRY --void" takes the other back',
  contradicting:
    'look at both: "spanledger correct ENTRY --void" takes back the one without a tenant, and --tenant says whose call of its own it is',
  unregistered_tenant:
    'register it with "spanledger tenant set TENANT", with --price-book BOOK where it pays by a book of its own, or move its entries with "spanledger correct ENTRY --tenant"',
  untold: 'tell it with "spanledger push", or record what a person billed elsewhere',
  unbilled:
    'make a subscription with "spanledger stripe setup --subscriptions", or bill it another way',
  on_two_invoices:
    'void or credit the invoice that should not be there, then resolve the alert with "spanledger stripe resolve"',
  on_voided_invoice:
    'bill it another way and record that with "spanledger stripe settled", or resolve the alert with "spanledger stripe resolve"',
  alert: '"spanledger stripe alerts" shows them; resolve each with what was done',
  without_cost: 'import what the provider charges with "spanledger price-book import", then rerate',
  unrated:
    'give the tenant a book with "spanledger tenant set TENANT --price-book BOOK", or import a price with "spanledger price-book import", and rerate; where only a clock was wrong, "spanledger correct ENTRY --void"',
  unmeasured: 'give the usage with "spanledger correct ENTRY", or accept it as free with a reason',
};
