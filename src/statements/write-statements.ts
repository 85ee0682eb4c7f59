import { hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../files.ts';
import type { Parts, ProgressPart } from '../parts.ts';
import {
  renderStatement,
  STATEMENT_FORMATS,
  type StatementForm,
  type StatementFormat,
} from './render-statement.ts';
import { showStatement } from './show-statement.ts';
import type { StatementRequest, WrittenStatementAnswer } from './statement-answer.ts';
import { readStatements } from './statement-store.ts';

/** Writes one statement to a file, in one form. */
export async function writeStatement(
  parts: Pick<Parts, 'database' | 'clock'>,
  request: StatementRequest & StatementForm & { readonly file: string },
): Promise<WrittenStatementAnswer> {
  const { file, format, issuer, ...of } = request;
  const statement = await showStatement(parts, of);
  const rendered = await renderStatement(statement, { format, issuer });
  await writeWhole(file, (write) => write(rendered));
  return { written: file };
}

/** The ending by which each form is named in a folder. */
const ENDINGS: Readonly<Record<StatementFormat, string>> = {
  json: 'json',
  text: 'txt',
  html: 'html',
  pdf: 'pdf',
  csv: 'csv',
};

/** The statements of a month in a folder, each in every form. */
interface WrittenStatements {
  readonly folder: string;
  readonly periods: number;
  /** The endings of the names of their files. */
  readonly endings: readonly string[];
  readonly files: readonly string[];
}

/**
 * Writes the statements of a month's closed periods to a folder. They are written again each time to the
 * same names, with the same bytes, since a closed period never changes.
 */
export async function writeStatements(
  { database, onProgress }: Pick<Parts, 'database'> & ProgressPart,
  request: { readonly month: string; readonly folder: string; readonly issuer: string | null },
): Promise<WrittenStatements> {
  const { month, folder, issuer } = request;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const statements = await readStatements(database, { month, tenantId: null });
  const files: string[] = [];
  for (const [index, statement] of statements.entries()) {
    onProgress?.(index, statements.length);
    const name = `${tenantFileName(statement.tenant_id)}-${statement.period.start}`;
    for (const format of STATEMENT_FORMATS) {
      const file = join(folder, `${name}.${ENDINGS[format]}`);
      const rendered = await renderStatement(statement, { format, issuer });
      await writeWhole(file, (write) => write(rendered));
      files.push(file);
    }
  }
  return { folder, periods: statements.length, endings: Object.values(ENDINGS), files };
}

/** Every file system takes a name of 255 bytes; the period and the ending have their part of it. */
const LONGEST_TENANT_NAME = 200;

/**
 * Returns a tenant's part of a file's name: its id, with what is not a plain character as %20. An
 * id that is too long so, or in another script than ours, is named by the first half of its SHA-256
 * in hex, and so is one of points alone, which a file system takes for a folder above.
 */
export function tenantFileName(tenantId: string): string {
  const name = isAscii(tenantId) && !/^\.+$/.test(tenantId) ? encodeURIComponent(tenantId) : null;
  if (name !== null && name.length <= LONGEST_TENANT_NAME) return name;
  return `sha256-${hash('sha256', tenantId).slice(0, 32)}`;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
