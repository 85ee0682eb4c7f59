import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Lays out what the image holds below a folder: the package as npm would install it, its dependencies, the
 * question that the health check asks, and the certificates of the database.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const [image] = process.argv.slice(2);
if (image === undefined) throw new Error('name the folder to lay the image out in');

const KEPT: Readonly<Record<string, string>> = {
  'package.json': 'spanledger/package.json',
  LICENSE: 'spanledger/LICENSE',
  dist: 'spanledger/dist',
  migrations: 'spanledger/migrations',
  node_modules: 'spanledger/node_modules',
  'src/spanledger.js': 'spanledger/src/spanledger.js',
  'infra/packages/health.js': 'spanledger/health.js',
  'infra/certificates/database.pem': 'certificates/database.pem',
};

mkdirSync(join(image, 'certificates'), { recursive: true });
for (const [from, to] of Object.entries(KEPT)) {
  const source = join(ROOT, from);
  // Links lead to workspaces, which are not in the image.
  const isKept = (path: string) => !path.includes('node_modules/@spanledger');
  if (existsSync(source)) cpSync(source, join(image, to), { recursive: true, filter: isKept });
}
