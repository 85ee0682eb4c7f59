import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { secureHeaders } from 'hono/secure-headers';
import { monotonicMs } from '../clock.ts';
import { explainFaultOfServer } from '../database/explain-fault.ts';
import type { JsonObject } from '../events/foreign/foreign-value.ts';
import type { TakenAnswer } from '../ingest/taking/taken-answer.ts';
import { ClockWatch } from '../ingest/worker/clock-watch.ts';
import { type ActionAsked, actOnce } from '../keys/act-once.ts';
import { withoutSecrets } from '../keys/key.ts';
import { Refusal } from '../refusal.ts';
import { jsonIn } from '../text/json.ts';
import { version } from '../version.ts';
import { acceptsCsv, answerRoute, withEntityTag } from './answer-route.ts';
import type { ApiParts } from './api-parts.ts';
import type { AppOptions } from './app-options.ts';
import { KeyDoor } from './bearer.ts';
import { answerHealth, answerReady } from './health.ts';
import { answerProducer } from './ingest/answer-producer.ts';
import { INGEST_DOORS } from './ingest/ingest-doors.ts';
import { otlpFault } from './ingest/otlp-reply.ts';
import { Metrics } from './metrics.ts';
import { namedByAction } from './named-by-action.ts';
import { openApiOf } from './openapi.ts';
import { problem, problemOf, typeOfAnswer } from './problem.ts';
import { type BodyLimits, readBytes } from './read-bytes.ts';
import { referencePage } from './reference-page.ts';
import { CSV, jsonReply, type Reply, textReply } from './reply.ts';
import type { Route } from './route.ts';
import { HEADROOM_HEADERS } from './routes/budgets.ts';
import { ROUTES } from './routes.ts';
import { answerInSpan } from './tracing.ts';
import { answerWebhook } from './webhook-door.ts';

type Env = { Bindings: HttpBindings; Variables: { requestId: string } };
type Answering = (c: Context<Env>) => Promise<Reply> | Reply;

/**
 * Builds the application: every route of the table, the doors of producers, and what machines ask.
 */
export function buildApp(options: AppOptions): Hono<Env> {
  const app = new Hono<Env>();
  const keys = new KeyDoor(options.parts, options.users);
  const metrics = new Metrics(options);
  const watch = new ClockWatch(options.parts);
  if (options.pages !== null) app.route('/', options.pages);
  app.use(secureHeaders(HEADERS));
  if (options.corsOrigins.length > 0) allowOrigins(app, options.corsOrigins);
  app.use(async (c, next) => {
    const given = c.req.header('x-request-id') ?? '';
    const requestId = /^[\w.-]{1,100}$/.test(given) ? given : randomUUID();
    c.set('requestId', requestId);
    await next();
    c.header('x-request-id', requestId);
    const { method } = c.req;
    const path = withoutSecrets(c.req.path);
    options.parts.log.debug({ requestId, method, path, status: c.res.status }, 'answered');
  });
  const answer = (route: string, answering: Answering) => async (c: Context<Env>) => {
    const began = monotonicMs();
    const traced = { method: c.req.method, route, headers: c.req.raw.headers };
    const replied = await answerInSpan({ ...traced, requestId: c.get('requestId') }, () =>
      reply(options, c, answering),
    );
    metrics.answered({ route, status: replied.status, seconds: (monotonicMs() - began) / 1000 });
    return toResponse(replied, c);
  };
  for (const route of ROUTES) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const asking: Answering = (c) => answerQuestion(options, keys, { route, c });
    app.on(route.method, path, answer(route.path, asking));
  }
  for (const door of INGEST_DOORS) {
    const took = (taken: TakenAnswer) => metrics.took(door.path, taken);
    const sending: Answering = async (c) => {
      const request = c.req.raw;
      const sent = { request, address: addressOf(c) };
      const producing = () => answerProducer(options, { keys, door, took, watch }, sent);
      return otlpFault(door, request, await reply(options, c, producing));
    };
    app.on(['POST', 'PUT'], door.path, answer(door.path, sending));
  }
  addMachines(app, { options, keys, metrics }, answer);
  app.notFound((c) => toResponse(notFound(app, c), c));
  app.onError((error, c) => toResponse(failed(options, c, error), c));
  return app;
}

/** Everything is for programs but a few pages, which style themselves and run nothing of others. */
const HEADERS: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'unsafe-inline'"],
    imgSrc: ['data:'],
    fontSrc: ['data:'],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
  },
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'DENY',
};

/** Pages of these origins ask with keys of their own: cookies, and so users of a proxy, stay out of it. */
function allowOrigins(app: Hono<Env>, origins: readonly string[]): void {
  const allowed = cors({
    origin: [...origins],
    allowMethods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'content-encoding', 'if-none-match'].concat([
      ...['idempotency-key', 'x-request-id'],
    ]),
    exposeHeaders: ['etag', 'next-cursor', 'retry-after', 'x-request-id', ...HEADROOM_HEADERS],
    maxAge: 600,
  });
  app.use('/v1/*', allowed);
  app.use('/openapi.json', allowed);
}

function addMachines(
  app: Hono<Env>,
  of: { readonly options: AppOptions; readonly keys: KeyDoor; readonly metrics: Metrics },
  answer: (route: string, answering: Answering) => (c: Context<Env>) => Promise<Response>,
): void {
  const { options, keys, metrics } = of;
  // Most servers are never asked for it, and it takes as long to make as all else here.
  let made: ReturnType<typeof openApiOf> | null = null;
  const document = () => {
    made ??= openApiOf(ROUTES, INGEST_DOORS, version());
    return made;
  };
  const page = () => textReply('text/html; charset=utf-8', referencePage(document()));
  app.get(
    '/openapi.json',
    answer('/openapi.json', () => jsonReply(document())),
  );
  app.get('/', answer('/', page));
  app.get(
    '/healthz',
    answer('/healthz', () => answerHealth(options.parts)),
  );
  app.get(
    '/readyz',
    answer('/readyz', () => answerReady(options)),
  );
  app.get(
    '/metrics',
    answer('/metrics', () => metrics.write(keys.refused)),
  );
  const webhook: Answering = (c) => answerWebhook(options.webhook, c.req.raw);
  app.post('/stripe/webhook', answer('/stripe/webhook', webhook));
}

interface RouteAsked {
  readonly route: Route;
  readonly c: Context<Env>;
}

async function answerQuestion(
  { parts }: AppOptions,
  keys: KeyDoor,
  { route, c }: RouteAsked,
): Promise<Reply> {
  const bearer = await keys.letInRequest(c.req.raw, addressOf(c));
  if (bearer.kind === 'refused') return bearer.reply;
  if (!isUtf8Address(c.req.url)) {
    const detail = 'the address of the request has %XX that is not UTF-8';
    return problem('bad_request', { detail, remedy: AS_UTF8 });
  }
  const body = route.method === 'GET' ? null : await readJson(c.req.raw);
  if (body instanceof Refused) return body.reply;
  const said = { path: c.req.param(), query: new URL(c.req.url).searchParams, body };
  const asked = { key: bearer.key, said, accept: c.req.header('accept') ?? '' };
  if (route.method === 'GET') {
    const replied = await answerRoute(route, parts, asked);
    return withEntityTag(replied, c.req.header('if-none-match') ?? null);
  }
  const idempotencyKey = c.req.header('idempotency-key');
  if (idempotencyKey === undefined) return answerRoute(route, parts, asked);
  const isCsv = acceptsCsv(route, asked.accept);
  // Who asks for the answer in another form asks for something else.
  const form = isCsv ? [CSV] : [];
  const request = JSON.stringify([route.method, c.req.path, [...said.query], body, ...form]);
  const once = { keyId: bearer.key.keyId, idempotencyKey, request };
  const named = { ...said, body: namedByAction(route, body, once) };
  const act = () => answerRoute(route, parts, { ...asked, said: named });
  return answerOnce(parts, once, { act, route, isCsv });
}

/** Runs an action under an Idempotency-Key: what it was answered is answered again. */
async function answerOnce(
  parts: ApiParts,
  asked: ActionAsked,
  of: { readonly act: () => Promise<Reply>; readonly route: Route; readonly isCsv: boolean },
): Promise<Reply> {
  const { act, route, isCsv } = of;
  const { isShownOnce } = route;
  let fresh: Reply | null = null;
  const { status, answer } = await actOnce(parts, asked, async () => {
    fresh = await act();
    return { status: fresh.status, answer: isShownOnce ? '' : String(fresh.body) };
  });
  if (fresh !== null) return fresh;
  const type = isCsv && status < 400 ? CSV : typeOfAnswer(status, route);
  if (!isShownOnce) return { status, type, body: answer, headers: headersAgain(route, answer) };
  return problem('conflict', {
    detail: 'this was done and answered already, and its answer is shown once',
    remedy: 'revoke what was made and was lost, and make it again under another Idempotency-Key',
  });
}

/** Returns the headers that an answer had when it was given first, which are made of the answer alone. */
function headersAgain({ headersOf }: Route, answer: string): Reply['headers'] {
  return headersOf === undefined ? {} : headersOf(JSON.parse(answer));
}

class Refused {
  readonly reply: Reply;

  constructor(reply: Reply) {
    this.reply = reply;
  }
}

/** A price book of everything that providers sell has over four megabytes. */
const ACTION_LIMITS: BodyLimits = { sentBytes: 16 * 1024 * 1024, unfoldedBytes: 16 * 1024 * 1024 };

async function readJson(request: Request): Promise<JsonObject | Refused> {
  const read = await readBytes(request, ACTION_LIMITS);
  if (read.kind === 'refused') return new Refused(read.reply);
  if (!isUtf8(read.bytes)) {
    return new Refused(
      problem('bad_request', { detail: 'the body is not UTF-8', remedy: AS_UTF8 }),
    );
  }
  const text = read.bytes.toString('utf8');
  if (text.trim() === '') return {};
  const json = jsonIn(text);
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  const detail = json === undefined ? 'the body is not JSON' : 'the body is JSON, but no object';
  const remedy = 'send the fields of the request as one JSON object';
  return new Refused(problem('bad_request', { detail, remedy }));
}

const AS_UTF8 = 'send it as UTF-8, since a name in another encoding would be another name';

/** Whether what stands as %XX in an address is UTF-8; what is none would be read as another name. */
function isUtf8Address(url: string): boolean {
  const runs = url.match(/(?:%[0-9a-f]{2})+/gi) ?? [];
  return runs.every((run) => isUtf8(Buffer.from(run.replaceAll('%', ''), 'hex')));
}

function addressOf(c: Context<Env>): string {
  return c.env?.incoming?.socket?.remoteAddress ?? '';
}

async function reply(options: AppOptions, c: Context<Env>, answering: Answering): Promise<Reply> {
  try {
    return await answering(c);
  } catch (error) {
    return failed(options, c, error);
  }
}

function toResponse({ status, type, body, headers }: Reply, c: Context<Env>): Response {
  const all = { ...headers, ...(status === 304 ? {} : { 'content-type': type }) };
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : streamOf(body);
  return c.newResponse(status === 304 ? null : (sent as string), status as 200, all);
}

function streamOf(pieces: Iterable<string>): ReadableStream {
  const iterator = pieces[Symbol.iterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const next = iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
  });
}

function notFound(app: Hono<Env>, c: Context<Env>): Reply {
  const { path, method } = c.req;
  const allowed = methodsAt(app, path);
  if (allowed.length === 0) {
    const near = path.toLowerCase().replace(/\/+$/, '');
    return problem('not_found', {
      detail: `there is no ${method} ${path}`,
      remedy:
        near !== path && methodsAt(app, near).length > 0
          ? `ask for ${near}`
          : 'see GET /openapi.json for what there is',
    });
  }
  // What answers GET answers HEAD, too.
  const withHead = allowed.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one]));
  return problem('method_not_allowed', {
    detail: `${path} takes no ${method}`,
    remedy: `use ${allowed.join(' or ')}`,
    headers: { allow: withHead.join(', ') },
  });
}

/** The methods that something answers at a path, of whatever the application was built. */
function methodsAt(app: Hono<Env>, path: string): readonly string[] {
  const there = app.routes
    .filter(({ method }) => method !== 'ALL')
    .filter((route) => patternOf(route.path).test(path))
    .map(({ method }) => method);
  return [...new Set(there)];
}

/** A path of the router, such as `/console/act/:act` or `/console/*`. */
function patternOf(path: string): RegExp {
  const pattern = path.replaceAll(/:\w+(?:\{[^}]*\})?/g, '[^/]+').replaceAll('*', '.*');
  return new RegExp(`^${pattern}$`);
}

/** A refusal says its own status; anything else is a fault of ours. */
function failed({ parts }: AppOptions, c: Context<Env>, error: unknown): Reply {
  const requestId = c.get('requestId');
  const refusal = error instanceof Refusal ? error : explainFaultOfServer(error);
  if (refusal !== null) {
    parts.log.warn({ requestId, kind: refusal.kind, reason: refusal.message }, 'request refused');
    return problemOf(refusal);
  }
  const reason = error instanceof Error ? error.message : String(error);
  parts.log.error(
    { requestId, reason, stack: error instanceof Error ? error.stack : null },
    'not handled',
  );
  return problem('not_handled', {
    detail: 'the request could not be handled',
    remedy: `send it again; if that does not help, give whoever runs this server the request id ${requestId}`,
  });
}
