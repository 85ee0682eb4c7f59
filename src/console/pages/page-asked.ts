import { html } from 'hono/html';
import type { ApiParts } from '../../api/api-parts.ts';
import type { FreshnessAnswer } from '../../month/status/freshness-answer.ts';
import type { KeptAnswers } from '../../reports/kept-answers.ts';
import type { Visitor } from '../door.ts';
import { type Html, instantOr } from '../view/amounts.ts';
import type { Page } from '../view/layout.ts';

/** What a page is asked with. */
export interface PageAsked {
  readonly parts: ApiParts;
  readonly visitor: Visitor;
  /** Whether the visitor may act; a reader sees no button. */
  readonly mayAct: boolean;
  readonly freshness: FreshnessAnswer;
  /** Answers about the whole ledger are asked for by it. */
  readonly kept: KeptAnswers;
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** One page of the console: an address, and what stands there. */
export interface ConsolePage {
  /** The path is as Hono writes it, such as `/console/tenants/:tenant`. */
  readonly path: string;
  readonly render: (asked: PageAsked) => Promise<Page>;
}

/** Returns what a parameter of the address says; null where it says nothing. */
export function said(query: URLSearchParams, name: string): string | null {
  const text = query.get(name)?.trim() ?? '';
  return text === '' ? null : text;
}

/** Returns the month that the address names, or the one that runs. */
export function monthSaid({ query, freshness }: PageAsked): string {
  return said(query, 'month') ?? freshness.running_month;
}

/** Returns the words that say of when figures are; nothing where they are of now. */
export function asOfWords(asOf: string | null): Html | string {
  return asOf === null ? '' : html` · ${asOfBeside(asOf)}`;
}

/** Returns the same where nothing stands before it. */
export function asOfBeside(asOf: string | null): Html | string {
  return asOf === null ? '' : html`as of ${instantOr(asOf, '')}`;
}
