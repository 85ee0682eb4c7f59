import type { Refusal, RefusalKind } from '../refusal.ts';
import { phraseRemedy } from '../remedy.ts';

export interface Reply {
  readonly status: number;
  readonly body: object;
}

/** A problem document, RFC 9457. */
export function problem(status: number, title: string, detail: string): Reply {
  return { status, body: { type: 'about:blank', title, status, detail } };
}

/** The problem document of a refusal: the status of its kind, and what a person can do about it. */
export function problemOf({ kind, message, remedy }: Refusal): Reply {
  const status = STATUSES[kind];
  const title = kind.replaceAll('_', ' ');
  const body = {
    type: 'about:blank',
    title,
    status,
    kind,
    detail: message,
    remedy: phraseRemedy(remedy, ({ operation }) => `the operation "${operation}"`),
    operations: remedy.filter((part) => typeof part !== 'string'),
  };
  return { status, body };
}

const STATUSES: Readonly<Record<RefusalKind, number>> = {
  bad_request: 400,
  bad_document: 422,
  misconfigured: 503,
  not_found: 404,
  conflict: 409,
  too_early: 409,
  incomplete: 409,
  not_permitted: 403,
  unavailable: 503,
  over_budget: 402,
  not_migrated: 503,
};
