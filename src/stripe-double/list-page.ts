import { invalidRequest, missingResource } from './api-failure.ts';

export interface PageParams {
  readonly limit?: number | undefined;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

export interface ListPage<T> {
  readonly object: 'list';
  readonly url: string;
  readonly has_more: boolean;
  readonly data: readonly T[];
}

const PAGE_LIMIT_DEFAULT = 10;
const PAGE_LIMIT_MAX = 100;

/** Checks what is wrong whatever the list holds: a limit of 1 to 100 and at most one cursor. */
export function checkPage(params: PageParams): void {
  const limit = params.limit ?? PAGE_LIMIT_DEFAULT;
  if (limit < 1 || limit > PAGE_LIMIT_MAX) {
    const message = `Invalid limit: must be between 1 and ${PAGE_LIMIT_MAX}.`;
    throw invalidRequest(message, { param: 'limit' });
  }
  if (params.starting_after !== undefined && params.ending_before !== undefined) {
    throw invalidRequest('Give only one of starting_after and ending_before.', {
      code: 'parameters_exclusive',
    });
  }
}

/**
 * Lists one page of rows that are in the order of the list. Throws a 400 on a cursor that is not in
 * it.
 */
export function listPage<T extends { readonly id: string }>(
  rows: readonly T[],
  params: PageParams,
  url: string,
): ListPage<T> {
  checkPage(params);
  const limit = params.limit ?? PAGE_LIMIT_DEFAULT;
  if (params.ending_before !== undefined) {
    const end = indexOfCursor(rows, params.ending_before, 'ending_before');
    const start = Math.max(0, end - limit);
    return { object: 'list', url, has_more: start > 0, data: rows.slice(start, end) };
  }
  const cursor = params.starting_after;
  const start = cursor === undefined ? 0 : indexOfCursor(rows, cursor, 'starting_after') + 1;
  const data = rows.slice(start, start + limit);
  return { object: 'list', url, has_more: start + limit < rows.length, data };
}

/** Stripe lists the newest first; the double keeps its objects in the order they were made. */
export function newestFirst<T>(objects: Iterable<T>): T[] {
  return [...objects].reverse();
}

/** Filters a list: true when nothing is asked for, or just this value. */
export function isWanted<T>(value: T, wanted: T | undefined): boolean {
  return wanted === undefined || value === wanted;
}

function indexOfCursor(rows: readonly { readonly id: string }[], id: string, param: string) {
  const index = rows.findIndex((row) => row.id === id);
  if (index < 0) throw missingResource('object', id, param);
  return index;
}
