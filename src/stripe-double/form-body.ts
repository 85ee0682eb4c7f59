/** Parameters as they came: text, or named parameters of their own. A list has the names 0, 1, 2… */
export type Params = { readonly [name: string]: string | Params };

type Branch = Map<string, string | Branch>;

/**
 * Reads Stripe's form encoding, of a body or a query string: `a[b][c]=v` is nested, `a[0][b]=v` and
 * `a[]=v` are lists. A name that is both a value and a branch keeps the later one.
 */
export function readForm(text: string): Params {
  const root: Branch = new Map();
  for (const [name, value] of new URLSearchParams(text)) plant(root, namePath(name), value);
  return toParams(root);
}

function namePath(name: string): string[] {
  const bracket = name.indexOf('[');
  if (bracket < 1) return [name];
  const inner = [...name.slice(bracket).matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '');
  return [name.slice(0, bracket), ...inner];
}

function plant(branch: Branch, path: readonly string[], value: string): void {
  const [head = '', ...rest] = path;
  const key = head === '' ? String(branch.size) : head;
  if (rest.length === 0) {
    branch.set(key, value);
    return;
  }
  const existing = branch.get(key);
  const child: Branch = existing instanceof Map ? existing : new Map();
  branch.set(key, child);
  plant(child, rest, value);
}

function toParams(branch: Branch): Params {
  const entries = [...branch].map(([name, value]): [string, string | Params] => [
    name,
    typeof value === 'string' ? value : toParams(value),
  ]);
  return Object.fromEntries(entries);
}
