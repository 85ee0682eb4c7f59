import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../support/source-files.ts';

/**
 * The manifests against the schemas of Kubernetes and of KEDA, without a cluster. Their validators ask for what a
 * manifest must have and of which type, and let a field pass that nobody knows; the compiler refuses one, by the types
 * that were made of the same schemas.
 */

const CHECKS = join(ROOT, 'infra/packages/node_modules');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const read = (name: string) => readFileSync(join(ROOT, 'infra/kubernetes', name), 'utf8');
const manifests: readonly Manifest[] = parse(read('kustomization.yaml')).resources.flatMap(
  (file: string) => parseAllDocuments(read(file)).map((document) => document.toJS()),
);

/** The module that has the kinds of an API: a group of Kubernetes' own, its core, or KEDA's. */
function moduleOf({ apiVersion }: Manifest): string {
  const isKeda = apiVersion.startsWith('keda.sh/');
  return isKeda ? `@kubernetes-models/keda/${apiVersion}` : `kubernetes-models/${apiVersion}`;
}

describe.each(
  manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]),
)('%s', (_, manifest) => {
  it('has what its schema asks for', async () => {
    const module = join(CHECKS, moduleOf(manifest), 'index.js');
    const kinds = await import(pathToFileURL(module).href);
    const Kind = kinds[manifest.kind];
    expect(() => new Kind(manifest).validate()).not.toThrow();
    const { metadata, ...rest } = structuredClone(manifest);
    expect(() => new Kind({ ...rest, metadata: { ...metadata, name: 7 } }).validate()).toThrow(
      'metadata/name',
    );
  });
});

describe('the fields', () => {
  it('are all known to the schemas', () => {
    expect(complaintsAbout(manifests)).toBe('');
  });

  it('are refused where one is misspelt, however deep', () => {
    const text = JSON.stringify(manifests.filter(({ kind }) => kind === 'Deployment'));
    const misspelt = text.replace('"terminationGracePeriodSeconds"', '"terminationGraceSeconds"');
    expect(misspelt).not.toBe(text);
    expect(complaintsAbout(JSON.parse(misspelt))).toContain('terminationGraceSeconds');
  });
});

/** What the compiler says of manifests that are written as values of their schemas' types. */
function complaintsAbout(some: readonly Manifest[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'spanledger-manifests-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  symlinkSync(CHECKS, join(folder, 'node_modules'));
  const typed = some.map(
    (manifest, n) =>
      `import type { I${manifest.kind} as Kind${n} } from ${JSON.stringify(moduleOf(manifest))};\n` +
      `export const manifest${n}: Kind${n} = ${JSON.stringify(manifest, null, 1)};\n`,
  );
  writeFileSync(join(folder, 'manifests.ts'), typed.join(''));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [compiler, ...options, 'manifests.ts'], { cwd: folder });
    return '';
  } catch (error) {
    return String(error instanceof Error && 'stdout' in error ? error.stdout : error);
  }
}
