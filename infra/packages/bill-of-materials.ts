import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a package's entry of the lock file says of it, as far as it is asked here. */
interface LockedPackage {
  readonly name?: string;
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

/**
 * Writes what runs beside our own code, each package with its version, licence and hash, as CycloneDX 1.5: from the
 * lock file, so it is what `npm ci` installs for production, and nothing has to be fetched for it. npm's own command
 * leaves out what is also needed by a workspace or by a tool of development, which is more than half of it.
 */
export function writeBillOfMaterials(path: string): void {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const whole = { type: 'application', name, version, purl: packageUrl(name, version) };
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { ...whole, licenses: licensesOf(license) } },
    components: installedForProduction().map(([name, locked]) => componentOf(name, locked)),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(bill, null, 1)}\n`);
}

function installedForProduction(): readonly (readonly [string, LockedPackage])[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const packages: Readonly<Record<string, LockedPackage>> = lock.packages;
  const byUrl = new Map<string, readonly [string, LockedPackage]>();
  for (const [path, locked] of Object.entries(packages)) {
    const { link, dev, devOptional, peer } = locked;
    if (!path.includes('node_modules/')) continue;
    if (link || dev || devOptional || peer) continue;
    const name = locked.name ?? path.slice(path.lastIndexOf('node_modules/') + 13);
    // One version may lie in several places.
    byUrl.set(packageUrl(name, locked.version), [name, locked]);
  }
  return [...byUrl.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

function componentOf(name: string, { version, license, integrity }: LockedPackage): object {
  const [algorithm = '', digest = ''] = (integrity ?? '').split('-');
  const content = Buffer.from(digest, 'base64').toString('hex');
  return {
    type: 'library',
    name,
    version,
    purl: packageUrl(name, version),
    licenses: licensesOf(license),
    hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content }],
  };
}

/** The scheme of package URLs writes the at sign of a scope as `%40`. */
function packageUrl(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licensesOf(license: string | undefined): readonly object[] {
  return license === undefined ? [] : [{ expression: license }];
}

const [path] = process.argv.slice(2);
if (import.meta.main && path !== undefined) writeBillOfMaterials(path);
