import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { S3Parts } from '../aws/s3-address.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { checkProof, shownColumns } from '../seals/proofs/check-proof.ts';
import type { ProofEntry } from '../seals/proofs/proof.ts';
import { sha256 } from '../seals/proofs/sha256.ts';
import type {
  ArchiveCheckAnswer,
  ArchiveCheckRequest,
  ArchivedHead,
  CheckedPeriod,
} from './archive-answer.ts';
import { ENTRIES_ENDING, HEAD_NAME, parseHead } from './archive-head.ts';
import type { ArchivePlace } from './archive-place.ts';
import { ARCHIVE_COLUMNS, provenEntry } from './archived-entry.ts';
import { openArchivePlace } from './open-archive-place.ts';
import { readRows } from './read-rows.ts';

/**
 * Checks every archived period with nothing but the archive: each row gives its entry's hash, the hashes give the
 * root that the manifest has, the manifest its own hash, and the entries the total of the statement. What stands beside
 * the entries is held against the manifest, and what one period says of the one before against what is there.
 */
export async function checkArchive(
  parts: S3Parts,
  request: ArchiveCheckRequest,
): Promise<ArchiveCheckAnswer> {
  const place = await openArchivePlace(parts, request.place);
  try {
    const paths = await place.list(HEAD_NAME);
    if (paths.length === 0) refuseNothing(request.place);
    const periods: CheckedPeriod[] = [];
    const heads: ArchivedHead[] = [];
    const known = new Set<string>();
    for (const path of paths) {
      const bytes = await place.read(path);
      const head = parseHead(bytes ?? Buffer.of(), path);
      const folder = path.slice(0, -HEAD_NAME.length);
      heads.push(head);
      known.add(`${folder}${head.file}`);
      periods.push(await checkPeriod(place, head, folder));
    }
    const unknown = (await place.list(ENTRIES_ENDING)).filter((path) => !known.has(path));
    const missing = [...periodsThatAreGone(heads), ...unknown.map(tellUnknown)];
    const holds = missing.length === 0 && periods.every((period) => period.holds);
    return { holds, periods, missing };
  } finally {
    place.close();
  }
}

/** A list of nothing would hold. */
function refuseNothing(place: string): never {
  throw new Refusal(
    'not_found',
    `no period is archived at ${place}`,
    advise`give the folder or the s3:// address that periods were archived to`,
  );
}

/** A run that was killed leaves such a file, and so does whoever takes a period away that nobody is to miss. */
function tellUnknown(path: string): string {
  return `${path} has no ${HEAD_NAME} beside it that names it: archive its period again, or take the file away where ${HEAD_NAME} names another`;
}

/**
 * Names the periods that others follow and that are not here. An archive may begin with any period of a tenant, so that
 * nothing before its first is missed.
 */
function periodsThatAreGone(heads: readonly ArchivedHead[]): readonly string[] {
  const byTenant = Map.groupBy(heads, ({ tenant_id: tenant }) => tenant);
  return [...byTenant].flatMap(([tenant, own]) => {
    const inOrder = own.toSorted((a, b) => (a.period_start < b.period_start ? -1 : 1));
    return inOrder.slice(1).flatMap(({ period_start: start, follows }) => {
      if (follows === undefined || follows === null) return [];
      const { period_start: before, manifest_hash: hashBefore } = follows;
      const there = own.some(
        (head) => head.period_start === before && head.manifest_hash === hashBefore,
      );
      if (there) return [];
      return [
        `period ${before} of tenant "${tenant}" with the manifest ${hashBefore}, which period ${start} follows, is not here: archive it`,
      ];
    });
  });
}

async function checkPeriod(
  place: ArchivePlace,
  head: ArchivedHead,
  folder: string,
): Promise<CheckedPeriod> {
  const { tenant_id, period_start, entries } = head;
  const told = (holds: boolean, detail: string) => ({
    tenant_id,
    period_start,
    entries,
    holds,
    detail,
  });
  const bytes = await place.read(`${folder}${head.file}`);
  if (bytes === null) return told(false, `${folder}${head.file} is gone`);
  const found = hash('sha256', bytes);
  if (found !== head.sha256) {
    return told(false, `${head.file} has the hash ${found}, not ${head.sha256}`);
  }
  try {
    const steps = checkProof(
      {
        format: 'spanledger-proof-1',
        manifest_hash: head.manifest_hash,
        manifest: head.manifest,
        lines: head.lines,
        columns: shownColumns(),
        prices: head.prices,
        entries: await readEntries(bytes),
        hashes: [],
      },
      sha256,
    );
    const wrong = steps.every(({ holds }) => holds) ? labelThatDiffers(head) : null;
    if (wrong !== null) return told(false, wrong);
    const last = steps.at(-1);
    return told(
      steps.every(({ holds }) => holds),
      last?.detail ?? 'nothing was checked',
    );
  } catch (error) {
    return told(false, error instanceof Error ? error.message : String(error));
  }
}

/** What is said beside the manifest is believed by nobody who reads the manifest, and so must be the same. */
function labelThatDiffers(head: ArchivedHead): string | null {
  const manifest = JSON.parse(head.manifest) as Manifest;
  const differs = (['tenant_id', 'period_start', 'entries'] as const).find(
    (name) => head[name] !== manifest[name],
  );
  if (differs === undefined) return null;
  return `${HEAD_NAME} has the ${differs} ${JSON.stringify(head[differs])}, and the closed period ${JSON.stringify(manifest[differs])}`;
}

async function readEntries(bytes: Buffer): Promise<readonly ProofEntry[]> {
  const text = Readable.from([bytes]).pipe(createGunzip()).setEncoding('utf8');
  const entries: ProofEntry[] = [];
  let head: readonly unknown[] | null = null;
  for await (const cells of readRows(text)) {
    if (head === null) {
      head = cells;
      if (head.join() !== ARCHIVE_COLUMNS.join()) {
        throw new Error('its columns are not the known ones');
      }
      continue;
    }
    entries.push({ position: entries.length, ...provenEntry(cells) });
  }
  return entries;
}
