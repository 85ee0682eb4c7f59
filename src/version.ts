import { readFileSync } from 'node:fs';

/** Reads the version of the package, as its releases are numbered. */
export function version(): string {
  const file = new URL('../package.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
