import { onTestFinished } from 'vitest';
import { type HttpServer, startHttpServer } from '../../src/api/http-server.ts';
import type { LoopLoad } from '../../src/api/loop-load.ts';
import type { ProxyUsers } from '../../src/api/proxy-users.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import type { EventKeeper } from '../../src/ingest/taking/event-keeper.ts';
import { openLedgerKeeper } from '../../src/ingest/taking/ledger-keeper.ts';
import { createKey } from '../../src/keys/create-key.ts';
import type { KeyRole } from '../../src/keys/key-answer.ts';
import { openLog } from '../../src/log.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';

/** The HTTP server, listening on a port of its own, as a client meets it. */
export interface Api {
  readonly url: string;
  readonly server: HttpServer;
  /** Makes a key. */
  key(role: KeyRole, scope?: KeyScope): Promise<string>;
  ask(path: string, key: string | null, init?: AskInit): Promise<Answered>;
  close(): Promise<void>;
}

export interface KeyScope {
  readonly tenant?: string;
  readonly source?: string;
  readonly tenants?: readonly string[];
  readonly rate?: number;
  readonly name?: string;
  readonly days?: number;
}

interface AskInit {
  readonly method?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON; else undefined. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly json: any;
}

export interface ApiOptions {
  readonly clock?: Clock;
  /** Where events go; the ledger itself where it is left out. */
  readonly keeper?: EventKeeper | null;
  readonly users?: ProxyUsers;
  readonly corsOrigins?: readonly string[];
  readonly langwatchSecret?: string;
  readonly load?: LoopLoad;
  /** Stripe's side; left out, the server has no key of Stripe's. */
  readonly stripe?: StripeParts;
}

export async function startApi(database: Database, options: ApiOptions = {}): Promise<Api> {
  const { clock = systemClock } = options;
  const log = openLog('silent');
  const reading = { litellmKey: null };
  const stripeParts = options.stripe ?? null;
  const parts = { database, clock, log, reading, stripeParts };
  const keeper = options.keeper === undefined ? openLedgerKeeper(parts) : options.keeper;
  const server = await startHttpServer({
    parts,
    webhook: null,
    keeper,
    users: options.users ?? null,
    corsOrigins: options.corsOrigins ?? [],
    langwatchSecret: options.langwatchSecret ?? null,
    ...(options.load === undefined ? {} : { load: options.load }),
    host: '127.0.0.1',
    port: 0,
  });
  const { url } = server;
  return {
    url,
    server,
    async key(role, scope = {}) {
      const { key } = await createKey(parts, {
        role,
        name: scope.name ?? null,
        tenant_id: scope.tenant ?? null,
        source: scope.source ?? null,
        tenant_ids: scope.tenants ?? null,
        rate: scope.rate ?? null,
        expires_at: null,
        expires_in_days: scope.days ?? null,
        actor: 'a test',
      });
      return key;
    },
    ask: (path, key, init) => ask(`${url}${path}`, key, init),
    async close() {
      await server.close();
      await keeper?.close();
    },
  };
}

/** Opens an API that is closed when the test is over. */
export async function freshApi(database: Database, options: ApiOptions = {}): Promise<Api> {
  const api = await startApi(database, options);
  onTestFinished(api.close);
  return api;
}

async function ask(url: string, key: string | null, init: AskInit = {}): Promise<Answered> {
  const {
    json,
    body,
    headers = {},
    method = json === undefined && body === undefined ? 'GET' : 'POST',
  } = init;
  const sent = json === undefined ? body : JSON.stringify(json);
  const response = await fetch(url, {
    method,
    ...(sent === undefined ? {} : { body: sent }),
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}
