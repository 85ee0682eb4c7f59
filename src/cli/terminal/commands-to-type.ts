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
  return ['spanledger', operation.operation, ...argumentsOf(operation).map(quoted)].join(' ');
}

function argumentsOf(operation: Operation): readonly string[] {
  switch (operation.operation) {
    case 'allocate reverse':
      return [operation.pool, '--month', operation.month ?? '…'];
    case 'audit entry':
      return operation.entry_id === null ? [] : [operation.entry_id];
    case 'audit line':
      return [operation.tenant_id, operation.month];
    case 'close':
      return [operation.month, ...optional('--tenant', operation.tenant_id)];
    case 'correct':
      return [operation.entry_id ?? 'ENTRY', ...correctionBy(operation)];
    case 'migrate':
      return operation.roles ? ['--roles'] : [];
    case 'fx import':
    case 'price-book import':
      return ['FILE'];
    case 'push':
    case 'reconcile':
      return operation.month === null ? [] : [operation.month];
    case 'push list':
      return ['--state', operation.state];
    case 'seal publish':
      return sealPublication(operation);
    case 'statement':
      return statementShown(operation);
    case 'budget requests':
    case 'quarantine list':
    case 'stripe alerts':
      return operation.all ? ['--all'] : [];
    case 'rerate':
      return operation.month === null
        ? []
        : [operation.month, ...optional('--tenant', operation.tenant_id)];
    case 'stripe resolve':
      return [operation.alert_id ?? 'ALERT', '--reason', '…'];
    case 'stripe settled':
      return [
        operation.tenant_id ?? 'TENANT',
        operation.month ?? 'MONTH',
        '--amount',
        '…',
        '--reason',
        '…',
      ];
    case 'stripe setup':
      return [
        ...optional('--currency', operation.currency),
        ...(operation.subscriptions ? ['--subscriptions'] : []),
        ...optional('--tenant', operation.tenant_id),
      ];
    case 'stripe unpark':
      return [operation.identifier];
    case 'tenant set':
      return tenantSetting(operation);
    case 'verify':
      return optional('--against', operation.against);
    default:
      return [];
  }
}

type OperationOf<Name extends Operation['operation']> = Extract<Operation, { operation: Name }>;

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
