import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { KeyDoor } from '../api/bearer.ts';
import { statusOfRefusal } from '../api/problem.ts';
import { explainFaultOfServer } from '../database/explain-fault.ts';
import { withoutSecrets } from '../keys/key.ts';
import { beginSession, endSession } from '../keys/recognize-session.ts';
import type { FreshnessAnswer } from '../month/status/freshness-answer.ts';
import { tellFreshness } from '../month/status/tell-freshness.ts';
import { Refusal } from '../refusal.ts';
import { KeptAnswers } from '../reports/kept-answers.ts';
import { actedPage, actPage } from './acts/act-pages.ts';
import { consoleHeaders, PRIVATE } from './console-headers.ts';
import type { ConsoleOptions } from './console-options.ts';
import { addCustomer } from './customer/customer-app.ts';
import { type DocumentForm, statementDocument } from './customer/statement-document.ts';
import {
  addressOf,
  type ConsoleContext,
  FORM_BYTES,
  giveSession,
  originOf,
  readForm,
  readVisitorsForm,
  refusalOfForm,
  sessionTokenOf,
  type Visitor,
  visitorOf,
} from './door.ts';
import { addLive } from './live.ts';
import { exportDocument, isExportName } from './pages/exports.ts';
import type { ConsolePage, PageAsked } from './pages/page-asked.ts';
import { refusedForCustomer, refusedPage, unhandledPage } from './pages/refused.ts';
import { addressAfterSignIn, signInPage } from './pages/sign-in.ts';
import { PAGES } from './pages.ts';
import { ASSETS } from './view/assets.ts';
import { type Frame, type Page, renderCustomerPage, renderPage } from './view/layout.ts';

type ConsoleApp = Hono<{ Bindings: HttpBindings }>;

/** Builds the console and the customer's page, as a part of the HTTP server. */
export function buildConsole(options: ConsoleOptions): ConsoleApp {
  const app: ConsoleApp = new Hono();
  const kept = new KeptAnswers(options.parts);
  addAssets(app);
  addSignIn(app, options);
  for (const page of PAGES) app.get(page.path, (c) => answerPage({ ...options, kept }, c, page));
  addCustomer(app, options);
  addActs(app, options, kept);
  addDocuments(app, options);
  addLive(app, (c) => askedBy({ ...options, kept }, c));
  app.get('/console/*', () => {
    throw new Refusal('not_found', 'there is no page at this address', 'begin at the overview');
  });
  app.onError((error, c) => answerFault(options, c, error));
  return app;
}

function addAssets(app: ConsoleApp): void {
  for (const { path, type, body } of ASSETS) {
    const headers = {
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
    };
    app.get(path, (c) => c.body(body, 200, { ...PRIVATE, ...headers }));
  }
}

function addSignIn(app: ConsoleApp, options: ConsoleOptions): void {
  const { parts } = options;
  const keys = new KeyDoor(parts, null);
  app.get('/console/sign-in', (c) => {
    const to = addressAfterSignIn(c.req.query('to') ?? null);
    const isLost = c.req.query('lost') !== undefined;
    return show(options, c, { page: signInPage({ to, fault: null, isLost }), visitor: null });
  });
  app.post('/console/sign-in', async (c) => {
    const form = await readForm(c);
    const to = addressAfterSignIn(form.get('to'));
    const bearer = await keys.letIn(`Bearer ${(form.get('key') ?? '').trim()}`, addressOf(c));
    const fault =
      bearer.kind === 'refused'
        ? 'This key is not known, or it has ended.'
        : bearer.key.role === 'ingest'
          ? 'This key sends events; it opens no page.'
          : null;
    if (bearer.kind === 'refused' || fault !== null) {
      return show(options, c, { page: signInPage({ to, fault, isLost: false }), visitor: null });
    }
    giveSession(c, await beginSession(parts, bearer.key));
    const isCustomer = bearer.key.tenantId !== null;
    return c.redirect(isCustomer ? '/usage/mine' : to, 303);
  });
  app.post('/console/sign-out', async (c) => {
    const token = sessionTokenOf(c);
    if (token !== null) {
      await readVisitorsForm(c, token);
      await endSession(parts, token);
    }
    giveSession(c, '');
    return c.redirect('/console/sign-in', 303);
  });
}

function addActs(app: ConsoleApp, options: ConsoleOptions, kept: KeptAnswers): void {
  const { parts } = options;
  app.get('/console/act/:act', async (c) => {
    const visitor = await letIn(options, c);
    if (visitor instanceof Response) return visitor;
    const form = new URL(c.req.url).searchParams;
    const page = await actPage({ parts, visitor, name: c.req.param('act'), form });
    return show(options, c, { page, visitor });
  });
  app.post('/console/act/:act/look', async (c) => {
    const visitor = await letIn(options, c);
    if (visitor instanceof Response) return visitor;
    const form = await readVisitorsForm(c, visitor.token, FORM_BYTES);
    const page = await actPage({ parts, visitor, name: c.req.param('act'), form });
    return show(options, c, { page, visitor });
  });
  app.post('/console/act/:act', async (c) => {
    const visitor = await letIn(options, c);
    if (visitor instanceof Response) return visitor;
    const form = await readForm(c, FORM_BYTES);
    const refusal = refusalOfForm(form, visitor.token);
    const publicUrl = options.publicUrl ?? originOf(c);
    const asked = { parts, visitor, name: c.req.param('act'), form };
    const page = await actedPage(asked, { publicUrl, refusal }).finally(() => kept.outdate());
    return show(options, c, { page, visitor });
  });
}

/**
 * Adds the documents of a closed period, as its customer gets them, and those for other systems.
 */
function addDocuments(app: ConsoleApp, options: ConsoleOptions): void {
  app.get('/console/statements/:tenant/:month/:form{html|pdf|csv|proof}', async (c) => {
    const visitor = await letIn(options, c);
    if (visitor instanceof Response) return visitor;
    const { tenant, month, form } = c.req.param();
    const asked = { tenantId: tenant, month, form: form as DocumentForm };
    return statementDocument(options, options.parts, asked);
  });
  app.get('/console/exports/:month/:name', async (c) => {
    const visitor = await letIn(options, c);
    if (visitor instanceof Response) return visitor;
    const { month, name } = c.req.param();
    if (!isExportName(name)) {
      throw new Refusal('not_found', 'there is no such export', 'choose one of those on the page');
    }
    return exportDocument(options.parts, { month, name });
  });
}

type KeepingOptions = ConsoleOptions & { readonly kept: KeptAnswers };

async function answerPage(
  options: KeepingOptions,
  c: ConsoleContext,
  page: ConsolePage,
): Promise<Response> {
  const asked = await askedBy(options, c);
  if (asked instanceof Response) return asked;
  const { visitor, freshness } = asked;
  return show(options, c, { page: await page.render(asked), visitor, freshness });
}

/** What a page is asked with by an operator, or the answer that sends whoever it is elsewhere. */
async function askedBy(options: KeepingOptions, c: ConsoleContext): Promise<PageAsked | Response> {
  const visitor = await letIn(options, c);
  if (visitor instanceof Response) return visitor;
  const { parts, kept } = options;
  return {
    ...{ parts, visitor, kept },
    freshness: await tellFreshness(parts),
    mayAct: visitor.key.role === 'admin',
    path: c.req.param() as Record<string, string>,
    query: new URL(c.req.url).searchParams,
  };
}

/** An address of Node's own server has some 16 kB with its headers. */
const LONGEST_QUERY = 8000;

/**
 * Says to the sign-in what was asked for. A form comes back filled as it was, and does nothing before it is sent again; what is
 * too long for an address is said to be lost.
 */
async function asked(c: ConsoleContext): Promise<URLSearchParams> {
  const { pathname, search } = new URL(c.req.url);
  if (c.req.method === 'GET') return new URLSearchParams({ to: pathname + search });
  const form = await readForm(c, FORM_BYTES);
  form.delete('form_token');
  const page = pathname.replace(/\/look$/, '');
  const filled = new URLSearchParams({ to: `${page}?${form}` });
  return String(filled).length <= LONGEST_QUERY
    ? filled
    : new URLSearchParams({ to: page, lost: 'yes' });
}

/** Finds an operator, or the answer that sends whoever it is elsewhere. */
async function letIn(options: ConsoleOptions, c: ConsoleContext): Promise<Visitor | Response> {
  const visitor = await visitorOf(options, c);
  if (visitor === null) {
    return c.redirect(`/console/sign-in?${await asked(c)}`, 303);
  }
  if (['admin', 'reader'].includes(visitor.key.role)) return visitor;
  if (visitor.key.tenantId !== null) return c.redirect('/usage/mine', 303);
  throw new Refusal('not_permitted', 'this key opens no page', 'sign in with another one');
}

async function show(
  options: ConsoleOptions,
  c: ConsoleContext,
  of: {
    readonly page: Page;
    readonly visitor: Visitor | null;
    /** It is asked for where the page has not asked already. */
    readonly freshness?: FreshnessAnswer;
  },
): Promise<Response> {
  const frame = await frameOf(options, of);
  const body = String(await renderPage(of.page, frame));
  return c.html(body, of.page.status ?? 200, consoleHeaders());
}

async function frameOf(
  { parts }: ConsoleOptions,
  { visitor, freshness }: Omit<Parameters<typeof show>[2], 'page'>,
): Promise<Frame> {
  const stripe = parts.stripeParts;
  const mode = stripe === null ? 'without Stripe' : stripe.livemode ? 'live mode' : 'test mode';
  if (visitor === null) return { who: null, freshness: null, mode };
  const { key, formToken, isUser } = visitor;
  const who = { name: key.name, formToken: isUser ? null : formToken };
  return { who, freshness: freshness ?? (await tellFreshness(parts)), mode };
}

/** A refusal is said with its remedy; anything else is a fault of ours, and told to the log. */
async function answerFault(
  options: ConsoleOptions,
  c: ConsoleContext,
  error: unknown,
): Promise<Response> {
  const refusal = error instanceof Refusal ? error : explainFaultOfServer(error);
  const { log } = options.parts;
  const path = withoutSecrets(c.req.path);
  if (refusal === null) {
    const stack = error instanceof Error ? error.stack : null;
    log.error({ reason: String(error), stack, path }, 'not handled');
  }
  if (path.startsWith('/usage/')) {
    const isOfServer = refusal !== null && refusal !== error;
    if (isOfServer) log.warn({ reason: refusal.message, path }, 'page of a customer not shown');
    const status = refusal === null ? 500 : statusOfRefusal(refusal.kind);
    const body = refusedForCustomer(isOfServer ? null : refusal);
    const page = String(await renderCustomerPage('Usage', body));
    return c.html(page, status as 500, consoleHeaders(options.frameOrigins));
  }
  const page =
    refusal === null ? unhandledPage() : refusedPage(refusal, statusOfRefusal(refusal.kind));
  const body = String(await renderPage(page, { who: null, freshness: null, mode: '' }));
  return c.html(body, page.status ?? 500, consoleHeaders());
}
