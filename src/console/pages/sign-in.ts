import { html } from 'hono/html';
import type { Page } from '../view/layout.ts';

/** Renders the way in: a key, as the command line makes it. */
export function signInPage(of: {
  readonly to: string;
  readonly fault: string | null;
  /** Whether a form was sent that is too long to be kept for the time after the sign-in. */
  readonly isLost: boolean;
}): Page {
  const fault = of.fault === null ? '' : html`<p class="notice bad" role="alert">${of.fault}</p>`;
  const lost = of.isLost ? html`<p class="notice bad" role="alert">${LOST}</p>` : '';
  return {
    title: 'Sign in',
    nav: null,
    ...(of.fault === null ? {} : { status: 403 as const }),
    body: html`<section class="panel sign-in"><h1>Sign in</h1>
<p class="soft">With a key of this ledger. A reader looks; an admin acts, too; a customer's key opens the customer's own page.</p>
<form method="post" action="/console/sign-in">${lost}${fault}<input type="hidden" name="to" value="${of.to}">
<label>Key<input name="key" type="password" autocomplete="current-password" spellcheck="false" required placeholder="slk_…"></label>
<button>Sign in</button></form></section>`,
  };
}

const LOST =
  'Your session had ended, so nothing was done, and the form that you sent is too long to be kept here. Go back in your browser to copy it, then sign in and send it again.';

/** Returns the address to go to after the sign-in, which is always one of ours. */
export function addressAfterSignIn(to: string | null): string {
  return to !== null && /^\/console(?:[/?][\w\-./?=&%~+:!'()*]*)?$/.test(to) ? to : '/console';
}
