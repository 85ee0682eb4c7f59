import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, type InstantMs, systemClock } from '../clock.ts';
import type { Account } from './account.ts';
import { answer } from './api-answer.ts';
import { ApiFailure } from './api-failure.ts';
import { failureReply, jsonReply, type Reply } from './api-reply.ts';
import {
  controlOf,
  DEFAULT_API_KEY,
  type DoubleControl,
  type DoubleSeed,
  resetWorld,
} from './control.ts';
import { answerControl, CONTROL_PATH } from './control-endpoint.ts';
import { followClock } from './double-clock.ts';
import { API_VERSION } from './event-log.ts';
import { openFaultQueue } from './fault.ts';
import { type Params, readForm } from './form-body.ts';
import { openHoldGate } from './hold-gate.ts';
import { headerOf, readBody, sendReply } from './http-exchange.ts';
import { lifeCycle } from './life-cycle.ts';
import { newId } from './object-id.ts';
import { type DoubleSettings, defaultSettings } from './settings.ts';
import type { RequestRecord, World } from './world.ts';

/** A Stripe that runs in this process. */
export interface StripeDouble {
  /** The address, such as `http://127.0.0.1:12111`. */
  readonly url: string;
  readonly port: number;
  /** The key of the account that is seeded; any other `sk_test_…` has an account of its own. */
  readonly apiKey: string;
  readonly control: DoubleControl;
  /** Serves a connection that the caller made himself, such as one that no network lies between. */
  accept(connection: Duplex): void;
  /** Breaks every connection and frees the port. */
  close(): Promise<void>;
}

export interface StripeDoubleOptions extends Partial<DoubleSettings> {
  /** The port is one that is free by default. */
  readonly port?: number;
  /**
   * The address that it listens on. By default it is loopback; `0.0.0.0` is for other containers.
   */
  readonly host?: string;
  /** What the clock starts at, epoch milliseconds. By default it follows the system clock. */
  readonly now?: InstantMs;
  /** The clock stands still until it is moved, so that a test is exact to the second. */
  readonly frozen?: boolean;
  readonly seed?: DoubleSeed;
}

/** The interval at which a double that nobody calls does what has fallen due. */
const TICK_MS = 1000;

/** Starts a double of Stripe's metered billing. Rejects when the port is taken. */
export async function startStripeDouble(options: StripeDoubleOptions = {}): Promise<StripeDouble> {
  const { port = 0, host = '127.0.0.1', now, frozen = false, seed = {}, ...settings } = options;
  const startsAt = now ?? (frozen ? systemClock() : null);
  const world = openWorld(frozen ? () => 0 : systemClock);
  const initial = { startsAt, settings, seed };
  resetWorld(world, initial);
  const control = controlOf(world, initial);
  const server = createServer((request, response) => {
    serve(world, control, { request, response }).catch((error: unknown) => {
      sendReply(response, failureOfDouble(error));
    });
  });
  await listen(server, port, host);
  // Where the clock stands still, nothing falls due by itself.
  const tick = frozen
    ? undefined
    : setInterval(() => void world.lifeCycle.catchUp(), TICK_MS).unref();
  const taken = portOf(server);
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    apiKey: DEFAULT_API_KEY,
    control,
    accept: (connection) => void server.emit('connection', connection),
    close: () => {
      clearInterval(tick);
      world.gate.release();
      return close(server);
    },
  };
}

/** A base clock that does not go on makes one that stands still. */
function openWorld(base: Clock): World {
  const clock = followClock(base);
  const accounts = new Map<string, Account>();
  return {
    clock,
    accounts,
    settings: defaultSettings(),
    faults: openFaultQueue(),
    gate: openHoldGate(),
    lifeCycle: lifeCycle(clock, accounts),
    requests: [],
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serve(world: World, control: DoubleControl, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const url = new URL(request.url ?? '/', 'http://double');
  const method = request.method ?? 'GET';
  const body = await readBody(request);
  if (url.pathname.startsWith(CONTROL_PATH)) {
    const answered = await answerControl(control, { method, path: url.pathname, body });
    sendReply(response, jsonReply(answered.status, answered.body));
    return;
  }
  await world.lifeCycle.catchUp();
  sendReply(response, await answerApi(world, request, { method, url, body }));
  await world.lifeCycle.catchUp();
}

/**
 * Returns a fault of the double itself, told as such, so that nobody looks for it in their own
 * code.
 */
function failureOfDouble(error: unknown): Reply {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return failureReply(
    new ApiFailure(500, { type: 'api_error', message: `The Stripe double failed: ${reason}` }),
  );
}

interface Message {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
}

async function answerApi(world: World, request: IncomingMessage, message: Message): Promise<Reply> {
  const { method, url, body } = message;
  const idempotencyKey = headerOf(request, 'idempotency-key');
  const authorization = request.headers.authorization;
  const path = url.pathname;
  const record: RequestRecord = {
    method,
    path,
    idempotencyKey,
    apiKey: authorization?.replace(/^Bearer /, '') ?? null,
    body,
    receivedAt: world.clock.now(),
    status: null,
    fault: null,
  };
  world.requests.push(record);
  const requestId = newId('req');
  const fault = world.faults.take({ method, path });
  record.fault = fault?.kind ?? null;
  const params = paramsOf(request, message);
  const call = { method, path, params, authorization, idempotencyKey, requestId };
  const reply = await answer(world, call, fault);
  record.status = reply.transport === 'send' ? reply.status : null;
  return { ...reply, headers: { ...headersOf(request, requestId), ...reply.headers } };
}

/** v1 is form-encoded, v2 is JSON; what the query string says is read alike. */
function paramsOf(request: IncomingMessage, { url, body }: Message): unknown {
  const query = readForm(url.search.slice(1));
  if (body === '') return query;
  const isJson = headerOf(request, 'content-type')?.startsWith('application/json') ?? false;
  return isJson ? readJson(body) : ({ ...query, ...readForm(body) } satisfies Params);
}

/** Answers null for what is not JSON, which no endpoint accepts. */
function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function headersOf(request: IncomingMessage, requestId: string): Record<string, string> {
  const idempotencyKey = headerOf(request, 'idempotency-key');
  return {
    'request-id': requestId,
    'stripe-version': headerOf(request, 'stripe-version') ?? API_VERSION,
    ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the double has no port');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
