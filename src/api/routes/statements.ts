import { z } from 'zod';
import { lineAnswer, lineRequest, linesAnswer, linesRequest } from '../../audit/line-answer.ts';
import { listLines, tellLine } from '../../audit/tell-line.ts';
import { readRequest } from '../../request.ts';
import { proveStatement } from '../../statements/prove-statement.ts';
import {
  renderStatement,
  STATEMENT_FORMATS,
  type StatementFormat,
} from '../../statements/render-statement.ts';
import { showStatement } from '../../statements/show-statement.ts';
import {
  statementAnswer,
  statementProofRequest,
  statementRequest,
} from '../../statements/statement-answer.ts';
import { fieldsOf } from '../fields-of.ts';
import { jsonReply, textReply } from '../reply.ts';
import { placeOf, type Route, route, Written } from '../route.ts';

/** The media type of each form; JSON is the answer itself. */
const TYPES: Readonly<Record<StatementFormat, string>> = {
  json: 'application/json',
  html: 'text/html; charset=utf-8',
  pdf: 'application/pdf',
  csv: 'text/csv; charset=utf-8',
  text: 'text/plain; charset=utf-8',
};

const formFields = {
  /** Null takes the first of the accepted media types that there is, or else JSON. */
  format: z.enum(STATEMENT_FORMATS).nullable(),
};

const statementAsked = statementRequest.extend({
  ...formFields,
  /** Who issues it, on HTML and PDF; null is the issuer that is set. */
  issuer: z.string().max(200).nullable(),
});

const statement: Route = {
  ...placeOf('GET /v1/statements/{tenant}/{month}'),
  about: 'statements',
  roles: ['admin', 'reader', 'tenant'],
  summary:
    'the statement of a closed period, or of an open one so far, as JSON, HTML, PDF, CSV or text',
  fields: fieldsOf(statementAsked, { preview: false }),
  answer: statementAnswer,
  rows: null,
  forms: Object.values(TYPES).filter((type) => type !== TYPES.json),
  isShownOnce: false,
  namedBy: null,
  act: null,
  check: null,
  // All of it is the customer's to read, the reasons of corrections too.
  isWholeForTenants: true,
  async run({ parts, given, accept }) {
    const { format, issuer, ...of } = readRequest(statementAsked, given as StatementGiven);
    const answer = await showStatement(parts, of);
    const form = format ?? acceptedForm(accept);
    if (form === 'json') return new Written(jsonReply(answer));
    return new Written(
      textReply(TYPES[form], await renderStatement(answer, { format: form, issuer })),
    );
  },
};

type StatementGiven = z.input<typeof statementAsked>;

function acceptedForm(accept: string): StatementFormat {
  const types = accept.split(',').map((part) => part.split(';')[0]?.trim() ?? '');
  for (const type of types) {
    const form = STATEMENT_FORMATS.find((each) => TYPES[each].split(';')[0] === type);
    if (form !== undefined) return form;
  }
  return 'json';
}

const proofAsked = statementProofRequest.omit({ form: true }).extend({
  /** A page checks itself. */
  format: z.enum(['json', 'html']),
});

const proof: Route = {
  ...placeOf('GET /v1/statements/{tenant}/{month}/proof'),
  about: 'statements',
  roles: ['admin', 'reader', 'tenant'],
  summary: "the proof that a statement's lines are made of the sealed entries",
  fields: fieldsOf(proofAsked, { format: 'json' }),
  answer: z.unknown(),
  rows: null,
  forms: [TYPES.html],
  isShownOnce: false,
  namedBy: null,
  act: null,
  check: null,
  async run({ parts, given }) {
    const { format, ...of } = readRequest(proofAsked, given as z.input<typeof proofAsked>);
    const { pieces } = await proveStatement(parts, { ...of, form: format });
    return new Written({ ...textReply(TYPES[format], ''), body: pieces });
  },
};

export const STATEMENTS: readonly Route[] = [
  statement,
  proof,
  route('GET /v1/statements/{tenant}/{month}/lines', {
    about: 'statements',
    roles: ['admin', 'reader'],
    summary: 'the lines of a closed period, each with its number',
    request: linesRequest,
    answer: linesAnswer,
    rows: 'lines',
    use: listLines,
  }),
  route('GET /v1/statements/{tenant}/{month}/lines/{line}', {
    about: 'statements',
    roles: ['admin', 'reader'],
    summary: 'one line with the entries behind it',
    request: lineRequest,
    answer: lineAnswer,
    defaults: { limit: 100 },
    rows: 'listed',
    use: tellLine,
  }),
];
