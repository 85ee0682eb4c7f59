import { z } from 'zod';
import type { JsonObject } from '../events/foreign/foreign-value.ts';
import type { KeyRole } from '../keys/key-answer.ts';
import { cutPage, nextCursorField, pageFields, readCursor } from '../page.ts';
import { Refusal } from '../refusal.ts';
import { readRequest } from '../request.ts';
import type { ApiParts } from './api-parts.ts';
import { type Fields, fieldsOf } from './fields-of.ts';
import type { Reply } from './reply.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * One row of the table of routes: what is asked by which request, by whom, and which use case answers. The
 * server, the OpenAPI document and the test of the wall are all made of the table.
 */
export interface Route {
  readonly method: Method;
  /** The path is as OpenAPI writes it, such as `/v1/runs/{run}`. */
  readonly path: string;
  readonly roles: readonly KeyRole[];
  /** One line for the reference. */
  readonly summary: string;
  /** The group under which the reference lists it. */
  readonly about: string;
  /** The fields of the request by name: parameters of a question, the body of an action. */
  readonly fields: Fields;
  readonly answer: z.ZodType;
  /** The name of the list in the answer whose rows CSV shows; null where it has none. */
  readonly rows: string | null;
  /** Other media types than JSON that it answers in. */
  readonly forms: readonly string[];
  /** Its answer holds a secret, which is kept nowhere. */
  readonly isShownOnce: boolean;
  /** Statuses beside 200 under which it gives its answer, and no problem. */
  readonly otherStatuses?: readonly number[];
  /** The headers that tell of its answer, too; left out where none does. */
  readonly headersOf?: (answer: unknown) => Reply['headers'];
  /** A tenant's key is answered whole, without any field left out. */
  readonly isWholeForTenants?: boolean;
  /** The field that names an action, where the Idempotency-Key stands for it; null where none does. */
  readonly namedBy: string | null;
  /** What the journal calls what it does, in the words of the command that does the same; null of a question. */
  readonly act: string | null;
  /** Reads the request as its use case does, or throws its `Refusal`; null of a question, which is asked instead. */
  readonly check: ((given: JsonObject) => void) | null;
  readonly run: (asked: Asked) => Promise<unknown>;
}

/** A request that was read and let in. */
export interface Asked {
  readonly parts: ApiParts;
  /** The JSON of the use case's request, before its schema. */
  readonly given: JsonObject;
  /** The media types that the client accepts, as its header says it. */
  readonly accept: string;
}

/** An answer that is written already, such as a page. */
export class Written {
  readonly reply: Reply;

  constructor(reply: Reply) {
    this.reply = reply;
  }
}

interface RouteOptions<Request extends z.ZodObject, Answer> {
  readonly about: string;
  readonly roles: readonly KeyRole[];
  readonly summary: string;
  readonly request: Request;
  readonly answer: z.ZodType<Answer>;
  /** What holds where nothing is given; what may be null need not be named. */
  readonly defaults?: Partial<Readonly<Record<keyof z.input<Request>, unknown>>>;
  readonly rows?: string;
  /** Its answer holds a secret, which is kept nowhere. */
  readonly isShownOnce?: boolean;
  /** The field that names an action, where the Idempotency-Key stands for it. */
  readonly namedBy?: keyof z.input<Request> & string;
  /** What the journal calls what it does; left out of a question. */
  readonly act?: string;
  readonly use: (parts: ApiParts, request: z.output<Request>) => Promise<Answer>;
}

/** Makes a row of the table whose request is what the use case takes. */
export function route<Request extends z.ZodObject, Answer>(
  at: `${Method} ${string}`,
  options: RouteOptions<Request, Answer>,
): Route {
  const { about, roles, summary, request, answer, use } = options;
  const { defaults = {}, rows = null, isShownOnce = false, namedBy = null, act = null } = options;
  return {
    ...placeOf(at),
    about,
    roles,
    summary,
    answer,
    rows,
    fields: fieldsOf(request, defaults),
    forms: rows === null ? [] : ['text/csv'],
    isShownOnce,
    namedBy,
    act,
    check: (given) => void readRequest(request, given as z.input<Request>),
    run: ({ parts, given }) => use(parts, readRequest(request, given as z.input<Request>)),
  };
}

interface ListOptions<Request extends z.ZodObject, Row> {
  readonly about: string;
  readonly roles: readonly KeyRole[];
  readonly summary: string;
  readonly request: Request;
  /** The use case's answer: the whole list. */
  readonly answer: z.ZodType<readonly Row[]>;
  readonly defaults?: Partial<Readonly<Record<keyof z.input<Request>, unknown>>>;
  /** The name under which the answer has the rows. */
  readonly rows: string;
  /** What tells one row from another, and keeps its place. */
  readonly idOf: (row: Row) => string;
  /** How the rows stand by their ids, where these are numbers: then a row that has left the list keeps its place, too. */
  readonly numbered?: 'up' | 'down';
  readonly use: (parts: ApiParts, request: z.output<Request>) => Promise<readonly Row[]>;
}

/** A row of the table for a list that is read whole, and of which the door gives some rows at a time. */
export function listRoute<Request extends z.ZodObject, Row>(
  at: `${Method} ${string}`,
  options: ListOptions<Request, Row>,
): Route {
  const { about, roles, summary, request, answer, defaults = {}, rows, idOf, use } = options;
  const { numbered = null } = options;
  const paged = request.extend(pageFields);
  return {
    ...placeOf(at),
    about,
    roles,
    summary,
    rows,
    answer: z.strictObject({ [rows]: answer, next_cursor: nextCursorField }),
    fields: fieldsOf(paged, { limit: USUAL_LIMIT, ...defaults }),
    forms: ['text/csv'],
    isShownOnce: false,
    namedBy: null,
    act: null,
    check: null,
    async run({ parts, given }) {
      const { limit, cursor, ...own } = given;
      const page = readRequest(z.strictObject(pageFields), { limit, cursor } as PageGiven);
      const all = await use(parts, readRequest(request, own as z.input<Request>));
      const [after = null] = readCursor(page.cursor, [numbered === null ? 'name' : 'number']) ?? [];
      const from = after === null ? 0 : placeAfter(all.map(idOf), after, numbered);
      const cut = cutPage(all.slice(from, from + page.limit + 1), page.limit, (row) => [idOf(row)]);
      return { [rows]: cut.rows, next_cursor: cut.next };
    },
  };
}

/** Returns the place behind the row at which a page ended; throws a `Refusal` where nothing tells it any more. */
function placeAfter(
  ids: readonly string[],
  after: string,
  numbered: ListOptions<z.ZodObject, unknown>['numbered'] | null,
): number {
  const at = ids.indexOf(after);
  if (at >= 0) return at + 1;
  if (numbered === null) {
    throw new Refusal(
      'bad_request',
      'the row at which the cursor stands is not in this list any more, or never was',
      'leave the cursor out to start again',
    );
  }
  const isBehind = (id: string) =>
    numbered === 'up' ? BigInt(id) > BigInt(after) : BigInt(id) < BigInt(after);
  const next = ids.findIndex(isBehind);
  return next === -1 ? ids.length : next;
}

type PageGiven = { readonly limit: number; readonly cursor: string | null };

export const USUAL_LIMIT = 100;

/** A request that says nothing. */
export const NOTHING_ASKED = z.strictObject({});

/** Takes a route's name, such as `GET /v1/usage`, apart into its method and its path. */
export function placeOf(at: `${Method} ${string}`): Pick<Route, 'method' | 'path'> {
  const [method, path = ''] = at.split(' ');
  return { method: method as Method, path };
}
