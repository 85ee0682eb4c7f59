import type { Operation, Remedy } from '../../remedy.ts';
import { phraseRemedy } from '../../remedy.ts';

/**
 * Phrases a remedy for people at a terminal: each operation is the command that does it, in
 * quotation marks.
 */
export function remedyText(remedy: Remedy): string {
  return phraseRemedy(remedy, (operation) => `"${commandToType(operation)}"`);
}

/** What was found, and what to do about it, in one line. */
export function withRemedy(found: string, remedy: Remedy | null): string {
  const does = remedy === null ? '' : remedyText(remedy);
  return [found, does].filter((part) => part !== '').join('; ');
}

/**
 * Returns the command that does an operation; what is still to be chosen stands as a word in
 * capitals or as ….
 */
export function commandToType(operation: Operation): string {
  return [
    'spanledger',
    operation.operation,
    ...argumentsOf(operation.operation, operation).map(quoted),
  ].join(' ');
}

type OperationOf<Name extends Operation['operation']> = Extract<Operation, { operation: Name }>;
type Operations = { readonly [Name in Operation['operation']]: OperationOf<Name> };

function argumentsOf<Name extends keyof Operations>(
  name: Name,
  given: Operations[Name],
): readonly string[] {
  return ARGUMENTS[name](given);
}

const none = () => [];
const all = (given: { readonly all: boolean }) => (given.all ? ['--all'] : []);
const monthAlone = ({ month }: { readonly month: string | null }) =>
  month === null ? [] : [month];

/** The arguments of each command that does an operation. */
const ARGUMENTS: {
  readonly [Name in keyof Operations]: (given: Operations[Name]) => readonly string[];
} = {
  adjust: none,
  'allocate list': none,
  'allocate reverse': ({ pool, month }) => [pool, '--month', month ?? '…'],
  'audit acts': none,
  'audit entry': ({ entry_id }) => (entry_id === null ? [] : [entry_id]),
  'audit line': ({ tenant_id, month }) => [tenant_id, month],
  'budget list': none,
  'budget requests': all,
  close: ({ month, tenant_id }) => [month, ...optional('--tenant', tenant_id)],
  correct: (given) => [given.entry_id ?? 'ENTRY', ...correctionBy(given)],
  'fx import': () => ['FILE'],
  'key list': none,
  migrate: ({ roles }) => (roles ? ['--roles'] : []),
  'price-book import': () => ['FILE'],
  'price-book list': none,
  prove: none,
  push: monthAlone,
  'push list': ({ state }) => optional('--state', state),
  'quarantine list': all,
  reconcile: monthAlone,
  'report runs': none,
  rerate: ({ month, tenant_id }) =>
    month === null ? [] : [month, ...optional('--tenant', tenant_id)],
  'seal publish': sealPublication,
  statement: statementShown,
  'stripe alerts': all,
  'stripe resolve': ({ alert_id, nothing_else_billed }) => [
    ...[alert_id ?? 'ALERT', '--reason', '…'],
    ...(nothing_else_billed === true ? ['--nothing-else-billed'] : []),
  ],
  'stripe settled': ({ tenant_id, month, period_start }) => [
    ...[tenant_id ?? 'TENANT', month ?? 'MONTH'],
    ...['--amount', '…', '--reason', '…'],
    ...optional('--period-start', period_start ?? null),
  ],
  'stripe setup': ({ currency, subscriptions, tenant_id }) => [
    ...optional('--currency', currency),
    ...(subscriptions ? ['--subscriptions'] : []),
    ...optional('--tenant', tenant_id),
  ],
  'stripe unpark': ({ identifier }) => [identifier],
  'stripe unsettle': ({ identifier }) => [identifier ?? 'IDENTIFIER', '--reason', '…'],
  'tenant list': none,
  'tenant set': tenantSetting,
  verify: ({ against }) => optional('--against', against),
  'webhook list': none,
};

function statementShown({ tenant_id, month, show }: OperationOf<'statement'>): readonly string[] {
  const of = [tenant_id ?? 'TENANT', month ?? 'MONTH'];
  switch (show) {
    case 'closed':
      return of;
    case 'preview':
      return [...of, '--preview'];
    case 'proof':
      return [...of, '--proof', '--out', 'FILE'];
  }
}

function correctionBy({ by }: OperationOf<'correct'>): readonly string[] {
  switch (by) {
    case 'move':
      return ['--tenant', '…'];
    case 'void':
      return ['--void'];
    case 'usage':
      return [];
  }
}

function tenantSetting({ tenant_id, give, from }: OperationOf<'tenant set'>): readonly string[] {
  const whose = tenant_id ?? 'TENANT';
  switch (give) {
    case null:
      return tenant_id === null ? [] : [whose];
    case 'stripe_customer':
      return [whose, '--stripe-customer', 'CUSTOMER'];
    case 'price_book':
      return [whose, '--price-book', 'BOOK', ...optional('--price-book-from', from)];
  }
}

function sealPublication(operation: OperationOf<'seal publish'>): readonly string[] {
  const { to, retain_days, restored_from } = operation;
  const days = retain_days === null ? null : String(retain_days);
  const restored =
    restored_from === null ? [] : ['--restored-from', restored_from, '--reason', '…'];
  const place = to ?? (restored_from === null ? null : 'PLACE');
  return [...optional('--to', place), ...optional('--retain-days', days), ...restored];
}

function optional(flag: string, value: string | null): readonly string[] {
  return value === null ? [] : [flag, value];
}

/** Writes an argument as a shell takes it; most names need no quotation. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./…-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
