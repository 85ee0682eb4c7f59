import type { Refusal, RefusalKind } from '../refusal.ts';
import { phraseRemedy } from '../remedy.ts';
import { jsonReply, type Reply } from './reply.ts';
import { requestToMake } from './requests-to-make.ts';

/** The refusals of the door itself, before any use case is called. */
export type DoorKind =
  | 'unauthenticated'
  | 'not_permitted'
  | 'not_found'
  | 'method_not_allowed'
  | 'bad_request'
  | 'too_large'
  | 'unsupported_media_type'
  | 'too_many_requests'
  | 'conflict'
  | 'unavailable'
  | 'not_handled';

/** Returns a problem document, RFC 9457. */
export function problem(
  kind: DoorKind,
  { detail, remedy, headers = {}, more = {} }: ProblemWords,
): Reply {
  const status = DOOR_STATUSES[kind];
  const title = kind.replaceAll('_', ' ');
  const body = {
    type: 'about:blank',
    title,
    status,
    kind,
    detail,
    remedy,
    operations: [],
    ...more,
  };
  return { ...jsonReply(body, status), type: PROBLEM_TYPE, headers };
}

interface ProblemWords {
  readonly detail: string;
  readonly remedy: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document, for programs. */
  readonly more?: Readonly<Record<string, unknown>>;
}

const PROBLEM_TYPE = 'application/problem+json';

interface WithStatuses {
  readonly otherStatuses?: readonly number[];
}

/** Returns the media type of an answer with a status, of which a route may have others than 200. */
export function typeOfAnswer(status: number, { otherStatuses = [] }: WithStatuses): string {
  return status < 400 || otherStatuses.includes(status) ? 'application/json' : PROBLEM_TYPE;
}

/**
 * Returns the problem document of a refusal: the status of its kind, and what a person can do about
 * it.
 */
export function problemOf({ kind, message, remedy }: Refusal): Reply {
  const status = statusOfRefusal(kind);
  const body = {
    type: 'about:blank',
    title: kind.replaceAll('_', ' '),
    status,
    kind,
    detail: message,
    remedy: phraseRemedy(remedy, requestToMake),
    operations: remedy.filter((part) => typeof part !== 'string'),
  };
  const headers: Readonly<Record<string, string>> =
    kind === 'unavailable' ? { 'retry-after': RETRY_SECONDS } : {};
  return { ...jsonReply(body, status), type: PROBLEM_TYPE, headers };
}

export function statusOfRefusal(kind: RefusalKind): number {
  return STATUSES[kind];
}

/** A service that is away is mostly back within seconds; as the header has it. */
export const RETRY_SECONDS = '5';

const DOOR_STATUSES: Readonly<Record<DoorKind, number>> = {
  unauthenticated: 401,
  not_permitted: 403,
  not_found: 404,
  method_not_allowed: 405,
  bad_request: 400,
  too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  conflict: 409,
  unavailable: 503,
  not_handled: 500,
};

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
