import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { writeBillOfMaterials } from './bill-of-materials.ts';

/**
 * Lays out what the image holds below a folder: the package as npm would install it, its dependencies, the
 * question that the health check asks, the certificates of the database, and the list of all that is in it.
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
// Where no certificate is given, the image still has the file that it names, or Node would warn at each start.
writeFileSync(join(image, 'certificates/database.pem'), rootCertificates.join('\n'));
for (const [from, to] of Object.entries(KEPT)) {
  const source = join(ROOT, from);
  // Links lead to workspaces, which are not in the image.
  const isKept = (path: string) => !path.includes('node_modules/@spanledger');
  if (existsSync(source)) cpSync(source, join(image, to), { recursive: true, filter: isKept });
}
writeBillOfMaterials(join(image, 'spanledger/sbom.cdx.json'));
