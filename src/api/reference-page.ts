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
<meta name="viewport" content="width=device-width"><style>${raw(STYLE)}</style></head>
<body><h1>Spanledger API</h1>
<p>The whole contract, with the schemas of every request and answer: <a href="/openapi.json">/openapi.json</a>.
Send <code>Authorization: Bearer KEY</code>; keys come from whoever runs the server.</p>
${sections}</body></html>`);
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

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}td{border-top:1px solid #ddd;padding:.4rem;vertical-align:top}
td:first-child{white-space:nowrap;width:24rem}code{font:13px ui-monospace,monospace}small{color:#666}h2{margin-top:2rem}`;
