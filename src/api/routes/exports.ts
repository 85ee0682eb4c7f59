import { z } from 'zod';
import { exportFocus } from '../../exports/focus/export-focus.ts';
import { focusRequest } from '../../exports/focus/focus-answer.ts';
import { exportJournal } from '../../exports/journal/export-journal.ts';
import { journalAnswer, journalRequest } from '../../exports/journal/journal-answer.ts';
import { JOURNAL_FORMATS, renderJournal } from '../../exports/journal/journal-text.ts';
import { readRequest } from '../../request.ts';
import { fieldsOf } from '../fields-of.ts';
import { CSV, textReply } from '../reply.ts';
import { placeOf, type Route, Written } from '../route.ts';

const TEXT = 'text/plain; charset=utf-8';

const focus: Route = {
  ...placeOf('GET /v1/exports/focus/{month}'),
  about: 'exports',
  roles: ['admin', 'reader'],
  summary: 'the closed periods of a month as FOCUS 1.3, in CSV',
  fields: fieldsOf(focusRequest),
  answer: z.unknown(),
  rows: null,
  forms: [CSV],
  isShownOnce: false,
  namedBy: null,
  act: null,
  check: null,
  async run({ parts, given }) {
    const request = readRequest(focusRequest, given as z.input<typeof focusRequest>);
    // A reader that is slow must not hold a transaction, so the whole file is made first.
    const pieces: string[] = [];
    await exportFocus(parts, request, (piece) => {
      pieces.push(piece);
    });
    return new Written({ ...textReply(CSV, ''), body: pieces });
  },
};

const journalAsked = journalRequest.extend({
  /** Null takes the first of the accepted media types that there is, or else JSON. */
  format: z.enum(['json', ...JOURNAL_FORMATS]).nullable(),
});

const journal: Route = {
  ...placeOf('GET /v1/exports/journal/{month}'),
  about: 'exports',
  roles: ['admin', 'reader'],
  summary: 'one balanced double entry for each closed period of a month, as JSON, CSV or beancount',
  fields: fieldsOf(journalAsked),
  answer: journalAnswer,
  rows: null,
  forms: [CSV, TEXT],
  isShownOnce: false,
  namedBy: null,
  act: null,
  check: null,
  async run({ parts, given, accept }) {
    const { format, ...of } = readRequest(journalAsked, given as z.input<typeof journalAsked>);
    const answer = await exportJournal(parts, of);
    const form = format ?? (/^\s*text\/csv\b/i.test(accept) ? 'csv' : 'json');
    if (form === 'json') return answer;
    return new Written(textReply(form === 'csv' ? CSV : TEXT, renderJournal(answer, form)));
  },
};

/** The routes of exports for other finance systems. */
export const EXPORTS: readonly Route[] = [focus, journal];
