import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/source-files.ts';

/** What runs beside our own code is named, pinned and locked. */

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockEntry extends Manifest {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  /** It came inside another package, whose hash is its own. */
  readonly inBundle?: boolean;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const namesOf = (of: Readonly<Record<string, string>> = {}) => Object.keys(of).sort();
const root: Manifest = JSON.parse(read('package.json'));

describe('the page of dependencies', () => {
  it('names each package that a running command loads, and no other', () => {
    const rows = [...read('infra/DEPENDENCIES.md').matchAll(/^\| `([^`]+)` \|/gm)];
    expect(rows.map(([, name]) => name).sort()).toEqual(namesOf(root.dependencies));
  });
});

describe.each(['.', 'infra/packages', 'infra/cdk'])('the lock file of %s', (folder) => {
  const manifest: Manifest = JSON.parse(read(`${folder}/package.json`));
  const { packages }: { readonly packages: Readonly<Record<string, LockEntry>> } = JSON.parse(
    read(`${folder}/package-lock.json`),
  );
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

  it('asks for what the manifest asks for, each in an exact version', () => {
    for (const kind of kinds) {
      expect(packages['']?.[kind] ?? {}, kind).toEqual(manifest[kind] ?? {});
      for (const version of Object.values(manifest[kind] ?? {})) {
        expect(version).toMatch(/^(?:npm:[\w-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/);
      }
    }
  });

  it('has the hash of everything that is fetched, and names no host', () => {
    const fetched = Object.entries(packages).filter(
      ([path, { link, inBundle }]) =>
        path.includes('node_modules/') && link !== true && inBundle !== true,
    );
    expect(fetched.length).toBeGreaterThan(5);
    for (const [path, { integrity, resolved }] of fetched) {
      expect(integrity, path).toMatch(/^sha512-/);
      expect(resolved ?? '', path).not.toMatch(/^(?!https:\/\/registry\.npmjs\.org\/)\w+:\/\//);
    }
  });
});

it('nothing that runs has a script of its own at installation', () => {
  const { packages }: { readonly packages: Readonly<Record<string, LockEntry>> } = JSON.parse(
    read('package-lock.json'),
  );
  const runs = Object.entries(packages).filter(
    ([, { dev, devOptional, peer }]) => ![dev, devOptional, peer].includes(true),
  );
  const scripted = runs.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripted.map(([path]) => path)).toEqual([]);
});
