import { createHash } from 'node:crypto';
import type { ApiParts } from '../../api/api-parts.ts';
import { listPeriods } from '../../audit/list-entries.ts';
import { periodsRequest } from '../../audit/lists-answer.ts';
import { readRequest } from '../../request.ts';
import { proveStatement } from '../../statements/prove-statement.ts';
import { renderStatement } from '../../statements/render-statement.ts';
import { showStatement } from '../../statements/show-statement.ts';
import { type StatementDocument, statementRequest } from '../../statements/statement-answer.ts';
import { PRIVATE } from '../console-headers.ts';
import type { ConsoleOptions } from '../console-options.ts';

export type DocumentForm = 'html' | 'pdf' | 'csv' | 'proof';

const TYPES: Readonly<Record<DocumentForm, string>> = {
  html: 'text/html; charset=utf-8',
  pdf: 'application/pdf',
  csv: 'text/csv; charset=utf-8',
  proof: 'text/html; charset=utf-8',
};

interface DocumentAsked {
  readonly tenantId: string;
  readonly month: string;
  readonly form: DocumentForm;
}

/**
 * Returns a closed period's statement as a document of its own, or the page that checks its proof.
 */
export async function statementDocument(
  { frameOrigins }: Pick<ConsoleOptions, 'frameOrigins'>,
  parts: ApiParts,
  { tenantId, month, form }: DocumentAsked,
): Promise<Response> {
  const request = readRequest(statementRequest, { tenant_id: tenantId, month, preview: false });
  const headers = { ...PRIVATE, 'content-type': TYPES[form] };
  if (form === 'proof') {
    const { pieces } = await proveStatement(parts, { ...request, line: null, form: 'html' });
    const page = [...pieces].join('');
    return new Response(page, { headers: { ...headers, ...policyOf(page, frameOrigins) } });
  }
  const statement = await showStatement(parts, request);
  const body = await renderStatement(statement, { format: form, issuer: null });
  const named =
    form === 'html'
      ? {}
      : {
          'content-disposition': `${form === 'pdf' ? 'inline' : 'attachment'}; filename="statement-${month}.${form}"`,
        };
  const policy = form === 'html' ? policyOf(String(body), frameOrigins) : {};
  return new Response(body as string, { headers: { ...headers, ...policy, ...named } });
}

/** Returns the lines of all statements in one table; each row says of which one it is. */
export async function allStatements(parts: ApiParts, tenantId: string): Promise<Response> {
  const asked = { month: null, state: 'closed' as const, as_of: null, cursor: null };
  const request = { ...asked, tenant_id: tenantId, limit: PERIODS_READ };
  const { periods } = await listPeriods(parts, readRequest(periodsRequest, request));
  // A month may hold two periods, and its statements come together.
  const months = new Set(periods.map(({ period_start: start }) => start.slice(0, 7)));
  const statements: StatementDocument[] = [];
  for (const month of [...months].sort()) {
    const of = readRequest(statementRequest, { tenant_id: tenantId, month, preview: false });
    statements.push(...[await showStatement(parts, of)].flat());
  }
  const body = await renderStatement(statements, { format: 'csv', issuer: null });
  const named = { 'content-disposition': 'attachment; filename="statements.csv"' };
  return new Response(body as string, {
    headers: { ...PRIVATE, 'content-type': TYPES.csv, ...named },
  });
}

/** More than eighty years of months. */
const PERIODS_READ = 1_000;

/**
 * These documents are whole in themselves, so that they can be kept as files: what they run and how they are styled
 * stands in them. Exactly those texts are allowed, by their hashes, and nothing is fetched.
 */
function policyOf(page: string, frameOrigins: readonly string[]): Readonly<Record<string, string>> {
  const hashes = (pattern: RegExp) =>
    [...page.matchAll(pattern)].map(([, text = '']) => {
      const digest = createHash('sha256').update(text).digest('base64');
      return `'sha256-${digest}'`;
    });
  const styles = hashes(/<style>([\s\S]*?)<\/style>/g);
  const scripts = hashes(/<script>([\s\S]*?)<\/script>/g);
  const ancestors = frameOrigins.length === 0 ? "'none'" : frameOrigins.join(' ');
  const policy = [
    "default-src 'none'",
    `style-src ${styles.join(' ')}`,
    ...(scripts.length === 0 ? [] : [`script-src ${scripts.join(' ')}`]),
    // The issuer's picture stands in the page, too.
    ...(page.includes(' src="data:image/') ? ['img-src data:'] : []),
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestors}`,
  ];
  return { 'content-security-policy': policy.join('; ') };
}
