import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The tree as its own tests read it: every TypeScript file below src, with and without comments. */

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceFile {
  /** The path from src, with slashes. */
  readonly path: string;
  /** `ledger` for ledger/entries/entry.ts, `money` for money.ts. */
  readonly folder: string;
  readonly text: string;
  /** The text without its comments. */
  readonly code: string;
}

/** Returns the files below a folder of the repository, as paths from the root with slashes. */
export function pathsBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.split(sep).join('/')}`)
    .filter((path) => !/\/(?:node_modules|cdk\.out|dist)\//.test(path))
    .sort();
}

export const SOURCE_FILES: readonly SourceFile[] = pathsBelow('src')
  .filter((path) => path.endsWith('.ts'))
  .map((fromRoot) => {
    const path = fromRoot.slice('src/'.length);
    const text = readFileSync(join(ROOT, fromRoot), 'utf8');
    return { path, folder: folderOf(path), text, code: withoutComments(text) };
  });

/** Returns the room of a file: the first folder of its path from src, or its own name. */
export function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
