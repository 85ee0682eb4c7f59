import { html } from 'hono/html';
import type { Refusal } from '../../refusal.ts';
import { phraseRemedy } from '../../remedy.ts';
import type { Html } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';
import { placeOfOperation } from './operation-places.ts';

/** Says what was refused, beside what else the page has. */
export function refusalNotice({ message, remedy }: Refusal): Html {
  return html`<div class="notice bad" role="alert"><h2>${sentence(message)}</h2><p>${sentence(phraseRemedy(remedy, placeOfOperation))}</p></div>`;
}

/**
 * Renders what was refused: the thing, the rule and the remedy, in the words of whoever refused it.
 */
export function refusedPage(refusal: Refusal, status: number): Page {
  return {
    title: 'Refused',
    nav: null,
    status: status as 400,
    body: html`${refusalNotice(refusal)}<p><a href="/console">To the overview</a></p>`,
  };
}

export function unhandledPage(): Page {
  return {
    title: 'Not handled',
    nav: null,
    status: 500,
    body: html`<div class="notice bad" role="alert"><h2>This page could not be made.</h2><p>Open it again; if that does not help, the server's log says why.</p></div>`,
  };
}

/** Says to a customer what was refused; how this server stands is for those who run it, and null. */
export function refusedForCustomer(refusal: Refusal | null): Html {
  if (refusal !== null) return refusalNotice(refusal);
  return html`<div class="notice bad" role="alert"><h2>This page cannot be shown now.</h2><p>Open it again in some minutes; if that does not help, ask whoever gave you its address.</p></div>`;
}

function sentence(text: string): string {
  const first = text.slice(0, 1).toUpperCase();
  return `${first}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
