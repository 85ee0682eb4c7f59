import type { Operation, Remedy } from '../../remedy.ts';
import { phraseRemedy } from '../../remedy.ts';

/** A remedy for people at a terminal: each operation is the command that does it, in quotation marks. */
export function remedyText(remedy: Remedy): string {
  return phraseRemedy(remedy, (operation) => `"${commandToType(operation)}"`);
}

/** The command that does an operation; what is still to be chosen stands as a word in capitals or as …. */
export function commandToType(operation: Operation): string {
  return ['spanledger', operation.operation, ...argumentsOf(operation).map(quoted)].join(' ');
}

function argumentsOf(operation: Operation): readonly string[] {
  switch (operation.operation) {
    case 'allocate reverse':
      return [operation.pool, '--month', operation.month ?? '…'];
    case 'audit entry':
      return operation.entryId === null ? [] : [operation.entryId];
    case 'audit line':
      return [operation.tenantId, operation.month];
    case 'close':
      return [operation.month, ...optional('--tenant', operation.tenantId)];
    case 'correct':
      return [operation.entryId, '--tenant', '…'];
    case 'migrate':
      return operation.roles ? ['--roles'] : [];
    case 'price-book import':
      return ['FILE'];
    case 'push':
      return [operation.month];
    case 'quarantine list':
      return ['--all'];
    case 'seal publish':
      return sealPublication(operation);
    case 'statement':
      if ('proof' in operation) return ['TENANT', 'MONTH', '--proof', '--out', 'FILE'];
      return [operation.tenantId, operation.month, ...(operation.preview ? ['--preview'] : [])];
    case 'stripe alerts':
      return operation.all ? ['--all'] : [];
    case 'stripe unpark':
      return [operation.identifier];
    case 'tenant set':
      if ('bookFrom' in operation) {
        return [
          operation.tenantId,
          '--price-book',
          'BOOK',
          '--price-book-from',
          operation.bookFrom,
        ];
      }
      return operation.give === null ? [] : ['TENANT', '--price-book', 'BOOK'];
    case 'verify':
      return optional('--against', operation.against);
    default:
      return [];
  }
}

function sealPublication({
  to,
  retainDays,
}: Extract<Operation, { readonly operation: 'seal publish' }>): readonly string[] {
  const days = retainDays === null ? null : String(retainDays);
  return [...optional('--to', to), ...optional('--retain-days', days)];
}

function optional(flag: string, value: string | null): readonly string[] {
  return value === null ? [] : [flag, value];
}

/** Writes an argument as a shell takes it; most names need no quotation. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./…-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
