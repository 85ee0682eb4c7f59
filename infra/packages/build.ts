import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Builds the packages, or those that are named: JavaScript, types and source maps below `dist`. Node strips
 * no types below node_modules, so that what is installed has to be built; a checkout runs its sources.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const PACKAGES: Readonly<Record<string, string>> = {
  spanledger: '.',
  client: 'src/client',
  'stripe-double': 'src/stripe-double',
};

const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : Object.keys(PACKAGES)) build(name);

function build(name: string): void {
  const folder = PACKAGES[name];
  if (folder === undefined) {
    throw new Error(`there is no package ${name}; there are ${Object.keys(PACKAGES).join(', ')}`);
  }
  // An installation without development dependencies runs the sources and has no use for a build.
  if (!existsSync(compiler)) {
    console.log(`${name} is not built: TypeScript is not installed`);
    return;
  }
  rmSync(join(ROOT, folder, 'dist'), { recursive: true, force: true });
  const project = join(ROOT, 'infra/packages', `${name}.json`);
  execFileSync(process.execPath, [compiler, '--project', project], { stdio: 'inherit' });
  console.log(`built ${name}`);
}
