import { apiPartsOf, startHttpServer } from '../../src/api/http-server.ts';
import type { ProxyUsers } from '../../src/api/proxy-users.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { buildConsole } from '../../src/console/console-app.ts';
import type { Database } from '../../src/database/database.ts';
import { createKey } from '../../src/keys/create-key.ts';
import type { KeyRole } from '../../src/keys/key-answer.ts';
import { type Log, openLog } from '../../src/log.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';

/** The console on a port of its own, as a browser meets it. */
export interface RunningConsole {
  readonly url: string;
  key(role: KeyRole, tenant?: string): Promise<string>;
  /** Signs in with a key, and answers a visitor that keeps its cookie. */
  visit(key: string | null): Promise<ConsoleVisitor>;
  close(): Promise<void>;
}

export interface ConsoleVisitor {
  get(path: string): Promise<Seen>;
  /** What a person does: the form of an act as its page has it, with why. */
  act(path: string, reason: string): Promise<Seen>;
  send(path: string, fields: Readonly<Record<string, string>>, headers?: Headers): Promise<Seen>;
  /** A form with files. */
  sendForm(path: string, body: FormData): Promise<Seen>;
  cookie(): string;
}

type Headers = Readonly<Record<string, string>>;

export interface Seen {
  readonly status: number;
  readonly location: string | null;
  readonly headers: globalThis.Headers;
  readonly text: string;
}

interface ConsoleTestOptions {
  readonly clock?: Clock;
  readonly users?: ProxyUsers | null;
  readonly publicUrl?: string | null;
  readonly log?: Log;
  /** Left out, the server has no key of Stripe's. */
  readonly stripeParts?: StripeParts | null;
}

export async function startConsole(
  database: Database,
  {
    clock = systemClock,
    users = null,
    publicUrl = null,
    log = openLog('silent'),
    stripeParts = null,
  }: ConsoleTestOptions = {},
): Promise<RunningConsole> {
  const parts = { database, clock, log, stripeParts };
  const pages = buildConsole({
    parts: apiPartsOf(parts),
    users,
    publicUrl,
    frameOrigins: ['https://app.example.com'],
  });
  const host = '127.0.0.1';
  const server = await startHttpServer({ parts, webhook: null, pages, users, host, port: 0 });
  return {
    url: server.url,
    async key(role, tenant) {
      const { key } = await createKey(parts, {
        ...{ role, name: role, tenant_id: tenant ?? null, source: null, tenant_ids: null },
        ...{ rate: null, expires_at: null, expires_in_days: role === 'link' ? 30 : null },
        actor: 'a test',
      });
      return key;
    },
    async visit(key) {
      const visitor = visitorOf(server.url);
      if (key !== null) await visitor.send('/console/sign-in', { key });
      return visitor;
    },
    close: () => server.close(),
  };
}

function visitorOf(url: string): ConsoleVisitor {
  let cookie = '';
  const ask = async (path: string, init: RequestInit & { headers?: Headers }): Promise<Seen> => {
    const response = await fetch(`${url}${path}`, {
      ...init,
      redirect: 'manual',
      headers: { ...(cookie === '' ? {} : { cookie }), ...init.headers },
    });
    const set = response.headers.get('set-cookie');
    if (set !== null) cookie = set.split(';')[0] ?? '';
    const { status, headers } = response;
    return { status, headers, location: headers.get('location'), text: await response.text() };
  };
  return {
    get: (path) => ask(path, {}),
    async act(path, reason) {
      const { text } = await ask(path, {});
      const body = new URLSearchParams({ ...fieldsOfAct(text), reason });
      return ask(path.replace(/\?.*/, ''), { method: 'POST', body });
    },
    send: (path, fields, headers = {}) =>
      ask(path, { method: 'POST', body: new URLSearchParams(fields), headers }),
    sendForm: (path, body) => ask(path, { method: 'POST', body }),
    cookie: () => cookie,
  };
}

/** Returns what the form holds by which an act is confirmed. */
export function fieldsOfAct(text: string): Readonly<Record<string, string>> {
  const [form = ''] = /<form class="act" method="post"[\s\S]*?<\/form>/.exec(text) ?? [];
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  return Object.fromEntries(fields);
}

/** Returns what every form of the page holds. */
export function formTokenIn(text: string): string {
  return /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
}
