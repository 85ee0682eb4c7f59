import type { JsonObject } from '../events/foreign/foreign-value.ts';
import { textCell } from '../text/csv.ts';

/** Writes rows as RFC 4180, a header first; figures keep their minus sign. */
export function writeCsv(rows: readonly JsonObject[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((column) => cell(row[column])).join(','));
  return [columns.map(cell).join(','), ...lines, ''].join('\r\n');
}

function cell(value: unknown): string {
  const text = textOf(value);
  return /^-?\d+(?:\.\d+)?$/.test(text) ? text : textCell(text);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
