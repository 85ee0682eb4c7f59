import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import type { S3Parts } from '../s3-address.ts';
import { checkProof, shownColumns } from '../seals/proofs/check-proof.ts';
import type { ProofEntry } from '../seals/proofs/proof.ts';
import { sha256 } from '../seals/proofs/sha256.ts';
import type {
  ArchiveCheckAnswer,
  ArchiveCheckRequest,
  ArchivedHead,
  CheckedPeriod,
} from './archive-answer.ts';
import { HEAD_NAME, parseHead } from './archive-head.ts';
import type { ArchivePlace } from './archive-place.ts';
import { ARCHIVE_COLUMNS, provenEntry } from './archived-entry.ts';
import { openArchivePlace } from './open-archive-place.ts';
import { readRows } from './read-rows.ts';

/**
 * Checks every archived period with nothing but the archive: each row gives its entry's hash, the hashes give the
 * root that the manifest has, the manifest its own hash, and the entries the total of the statement.
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
    for (const path of paths) {
      const bytes = await place.read(path);
      const head = parseHead(bytes ?? Buffer.of(), path);
      periods.push(await checkPeriod(place, head, path.slice(0, -HEAD_NAME.length)));
    }
    return { holds: periods.every(({ holds }) => holds), periods };
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

async function checkPeriod(
  place: ArchivePlace,
  head: ArchivedHead,
  folder: string,
): Promise<CheckedPeriod> {
  const { tenant_id, period_start, entries } = head;
  const told = (holds: boolean, detail: string) => ({
    ...{ tenant_id, period_start, entries },
    ...{ holds, detail },
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
    const last = steps.at(-1);
    return told(
      steps.every(({ holds }) => holds),
      last?.detail ?? 'nothing was checked',
    );
  } catch (error) {
    return told(false, error instanceof Error ? error.message : String(error));
  }
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
