import { jsonIn } from '../../text/json.ts';
/**
 * Reads a CloudEvent in binary mode: its attributes are headers, `ce-id`, `ce-source` and so on,
 * and its body is the data. Answers it in structured mode, as text; null for every other request.
 */
export function cloudEventOf(headers: Headers, data: string): string | null {
  if (headers.get('ce-specversion') === null) return null;
  const attributes = [...headers].flatMap(([name, value]) => {
    const attribute = /^ce-([a-z0-9]+)$/.exec(name)?.[1];
    return attribute === undefined ? [] : [[attribute, decoded(value)] as const];
  });
  return JSON.stringify({ ...Object.fromEntries(attributes), data: parsed(data) });
}

/** Headers carry what is not plain ASCII as %XX. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function parsed(data: string): unknown {
  const json = jsonIn(data);
  return json === undefined ? data : json;
}
