import { html } from 'hono/html';
import type { FreshnessAnswer } from '../../month/status/freshness-answer.ts';
import { agoText, countText, type Html } from './amounts.ts';
import { SCRIPT, STYLE } from './assets.ts';

/** A page before it has its frame. */
export interface Page {
  readonly title: string;
  /** The part of the console in which it stands. */
  readonly nav: NavName | null;
  readonly body: Html;
  readonly status?: 200 | 400 | 403 | 404 | 409 | 422 | 429 | 500 | 503;
}

/** Who looks, as the frame says it. */
export interface Frame {
  /** Null before the sign-in. */
  readonly who: {
    readonly name: string;
    /** It is null where the sign-out is the proxy's. */
    readonly formToken: string | null;
  } | null;
  readonly freshness: FreshnessAnswer | null;
  readonly mode: string;
}

const NAV = [
  { name: 'Overview', href: '/console' },
  { name: 'Tenants', href: '/console/tenants' },
  { name: 'Runs', href: '/console/runs' },
  { name: 'The month', href: '/console/month' },
  { name: 'Prices', href: '/console/prices' },
  { name: 'Quarantine', href: '/console/quarantine' },
  { name: 'Acts', href: '/console/acts' },
] as const;
type NavName = (typeof NAV)[number]['name'];

/** Renders the whole document: head, frame and body. Nothing in it runs or is styled inline. */
export function renderPage(page: Page, frame: Frame): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${page.title} · Spanledger</title><link rel="stylesheet" href="${STYLE.path}"><link rel="icon" href="data:,"><script src="${SCRIPT.path}" defer></script></head>
<body><a class="skip" href="#main">Skip to the content</a>${headerOf(page, frame)}
<main id="main" tabindex="-1">${page.body}</main></body></html>`;
}

function headerOf(page: Page, { who, freshness, mode }: Frame): Html {
  if (who === null)
    return html`<header class="top"><a class="brand" href="/console">Spanledger</a></header>`;
  const items = NAV.map(({ name, href }) => {
    const waiting = name === 'Quarantine' ? (freshness?.quarantine ?? 0) : 0;
    const badge = waiting > 0 ? html` <b class="badge">${countText(waiting)}</b>` : '';
    return name === page.nav
      ? html`<li><a href="${href}" aria-current="page">${name}${badge}</a></li>`
      : html`<li><a href="${href}">${name}${badge}</a></li>`;
  });
  return html`<header class="top"><a class="brand" href="/console">Spanledger</a><nav aria-label="Console"><ul>${items}</ul></nav>
<div class="state"><span>${mode}${freshText(freshness)}</span>${signOutOf(who)}</div></header>`;
}

function signOutOf({ name, formToken }: NonNullable<Frame['who']>): Html {
  if (formToken === null) return html`<bdi>${name}</bdi>`;
  return html`<form method="post" action="/console/sign-out"><input type="hidden" name="form_token" value="${formToken}"><button class="quiet" title="Sign out ${name}"><bdi>${name}</bdi> · sign out</button></form>`;
}

function freshText(freshness: FreshnessAnswer | null): string {
  if (freshness === null) return '';
  if (freshness.last_batch_at === null) return ' · nothing received yet';
  return ` · last batch ${agoText(freshness.last_batch_at, freshness.at)} ago`;
}

/** Renders the page of a customer: the same head, and nothing of the console around it. */
export function renderCustomerPage(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>${title}</title><link rel="stylesheet" href="${STYLE.path}"><link rel="icon" href="data:,"></head>
<body class="customer"><main id="main">${body}</main></body></html>`;
}
