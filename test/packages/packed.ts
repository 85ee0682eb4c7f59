import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/source-files.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>;
}

/** A tarball, and what is in it. */
export interface Packed {
  readonly name: string;
  readonly tarball: string;
  readonly integrity: string;
  readonly files: readonly string[];
  readonly manifest: Manifest;
}

const FOLDERS = ['.', 'src/client', 'src/stripe-double'];

/** Packs what was built, as `npm publish` would; the scripts that build are not run a second time. */
export function packAll(destination: string): readonly Packed[] {
  return FOLDERS.map((folder) => {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination];
    const cwd = join(ROOT, folder);
    const said = JSON.parse(execFileSync('npm', args, { cwd, encoding: 'utf8' }));
    const [packed] = Array.isArray(said) ? said : Object.values(said);
    return {
      name: packed.name,
      tarball: join(destination, packed.filename),
      integrity: packed.integrity,
      files: packed.files.map(({ path }: { readonly path: string }) => path),
      manifest: JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')),
    };
  });
}

/**
 * An empty project that asks for the tarballs alone. Its lock file is made of ours, so that the versions are
 * those that were tested, and an installation finds them in npm's cache where no registry answers.
 */
export function writeLockedProject(folder: string, packed: readonly Packed[]): void {
  const manifest = { name: 'empty', version: '1.0.0', private: true, type: 'module' };
  const dependencies = Object.fromEntries(
    packed.map(({ name, tarball }) => [name, `file:${tarball}`]),
  );
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const ours = packed.map(({ name, tarball, integrity, manifest: { version, ...of } }) => {
    const { engines, bin, dependencies: needs, peerDependencies, peerDependenciesMeta } = of;
    const entry = {
      version,
      resolved: `file:${tarball}`,
      integrity,
      license: 'Apache-2.0',
      engines,
    };
    const given = { bin, dependencies: needs, peerDependencies, peerDependenciesMeta };
    return [`node_modules/${name}`, { ...entry, ...given }] as const;
  });
  const theirs = Object.entries<LockEntry>(lock.packages).filter(
    ([path, { dev, devOptional, peer, link }]) =>
      path.startsWith('node_modules/') && ![dev, devOptional, peer, link].includes(true),
  );
  const packages = Object.fromEntries([['', { ...manifest, dependencies }], ...ours, ...theirs]);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, dependencies }));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({
      name: 'empty',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages,
    }),
  );
}

interface LockEntry {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  readonly link?: boolean;
}
