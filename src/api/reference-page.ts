import { html, raw } from 'hono/html';
import type { JsonObject } from '../events/foreign/foreign-value.ts';

/** A small page of the routes, made of the OpenAPI document: what each is for, what it takes and who may ask. */
export function referencePage(document: JsonObject): string {
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? '');
  const sections = [...groups].map(
    ([name, of]) => html`<h2>${name}</h2><table>${of.map(rowOf)}</table>`,
  );
  return String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Spanledger API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${raw(STYLE)}</style></head>
<body><main><h1>Spanledger API</h1>
<p>The whole contract, with the schemas of every request and answer: <a href="/openapi.json">/openapi.json</a>.
Send <code>Authorization: Bearer KEY</code>; keys come from whoever runs the server.</p>
${sections}</main></body></html>`);
}

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

function rowOf({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}) {
  const names = (operation.parameters ?? []).filter((each) => each.in === 'query');
  return html`<tr><td><code>${method.toUpperCase()} ${path}</code></td>
<td>${operation.summary}<br><small>${operation.description}${
    names.length === 0 ? '' : ` Parameters: ${names.map(({ name }) => name).join(', ')}.`
  }</small></td></tr>`;
}

const STYLE = `:root{color-scheme:light dark;--ink:#222;--soft:#666;--rule:#ddd}
@media(prefers-color-scheme:dark){:root{--ink:#e9ecf1;--soft:#9aa4b2;--rule:#2a303a}a{color:#8ba6ff}body{background:#0c0e12}}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink)}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--rule);padding:.4rem;vertical-align:top;overflow-wrap:anywhere}
td:first-child{width:24rem}code{font:13px ui-monospace,monospace}small{color:var(--soft)}h2{margin-top:2rem}
@media(max-width:640px){td{display:block;padding:.4rem 0}td:first-child{width:auto}td+td{border:0;padding-top:0}}`;
