import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Refusal } from '../refusal.ts';

/**
 * Throws a `Refusal` where a package that only the demo runs on is not there. In a checkout they are
 * development dependencies; who installs the command is not given a Postgres and a queue server with it.
 */
export async function refuseWithoutPackages(
  isInstalled: (name: string) => Promise<boolean> = isThere,
): Promise<void> {
  const { peerDependencies } = manifest.parse(JSON.parse(readFileSync(MANIFEST, 'utf8')));
  const missing: string[] = [];
  for (const [name, version] of Object.entries(peerDependencies)) {
    if (!(await isInstalled(name))) missing.push(`${name}@${version}`);
  }
  if (missing.length === 0) return;
  throw new Refusal(
    'misconfigured',
    `the demo runs on packages of its own that are not installed: ${missing.join(' and ')}`,
    `run "npm install ${missing.join(' ')}" beside spanledger (npm 12 asks for "npm install-scripts approve" of the platform's Postgres), and run it again`,
  );
}

const MANIFEST = new URL('../../package.json', import.meta.url);
const manifest = z.object({ peerDependencies: z.record(z.string(), z.string()) });

/** Nothing of it is run: one of them would end the process at a signal, before the demo has put its parts away. */
async function isThere(name: string): Promise<boolean> {
  try {
    return existsSync(fileURLToPath(import.meta.resolve(name)));
  } catch {
    return false;
  }
}
