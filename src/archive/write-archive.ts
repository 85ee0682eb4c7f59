import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { S3Parts } from '../aws/s3-address.ts';
import { inTransaction } from '../database/database.ts';
import type { Parts } from '../parts.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { checkProof } from '../seals/proofs/check-proof.ts';
import type { Proof, ProofEntry } from '../seals/proofs/proof.ts';
import { sha256 } from '../seals/proofs/sha256.ts';
import { readProofHead } from '../statements/proof-store.ts';
import { tenantFileName } from '../statements/write-statements.ts';
import { readTenant } from '../tenants/tenant-store.ts';
import type {
  ArchiveAnswer,
  ArchivedHead,
  ArchivedPeriod,
  ArchiveRequest,
} from './archive-answer.ts';
import { ENTRIES_ENDING, HEAD_FORMAT, HEAD_NAME, parseHead } from './archive-head.ts';
import type { ArchivePlace } from './archive-place.ts';
import type { PeriodToArchive } from './archive-store.ts';
import { eachArchivedEntry, readClosedPeriods, readSealsOf } from './archive-store.ts';
import { ARCHIVE_HEAD, archiveRow, provenEntry } from './archived-entry.ts';
import { daysWanted } from './days-wanted.ts';
import { openArchivePlace } from './open-archive-place.ts';

/**
 * Copies closed periods to a place outside of the database: each as compressed CSV of everything that the ledger has
 * of its entries, with the manifest, the prices and the seals by which it proves itself. Nothing is taken out of the
 * ledger: an event that comes again in ten years must still find itself there. What the place has already is left as
 * it is, and so a run that was killed is simply run again.
 */
export async function writeArchive(
  parts: Pick<Parts, 'database' | 'clock'> & S3Parts,
  request: ArchiveRequest,
): Promise<ArchiveAnswer> {
  const { database, clock } = parts;
  const { tenant_id: tenantId, to } = request;
  if (tenantId !== null) await readTenant(database.kysely, tenantId);
  const wanted = { ...daysWanted(request, clock()), tenantId };
  const place = await openArchivePlace(parts, to);
  try {
    const periods: ArchivedPeriod[] = [];
    for (const period of await readClosedPeriods(database, wanted)) {
      const known = await readKnown(place, period, to);
      const head = known ?? (await archivePeriod(parts, place, period));
      periods.push(tellPeriod(period, head, known === null));
    }
    return { to, periods };
  } finally {
    place.close();
  }
}

/** A tenant's folder has the name that its statements have, and each of its periods has one in it. */
function folderOf({ tenantId, periodStart }: PeriodToArchive): string {
  return `${tenantFileName(tenantId)}/${periodStart}`;
}

function tellPeriod(period: PeriodToArchive, head: ArchivedHead, written: boolean): ArchivedPeriod {
  const { tenant_id, period_start, entries, manifest_hash, file } = head;
  return {
    tenant_id,
    period_start,
    entries,
    manifest_hash,
    file: `${folderOf(period)}/${file}`,
    written,
  };
}

/** Reads what the place has of a period; refuses where that is another period than the ledger's. */
async function readKnown(
  place: ArchivePlace,
  period: PeriodToArchive,
  to: string,
): Promise<ArchivedHead | null> {
  const path = `${folderOf(period)}/${HEAD_NAME}`;
  const bytes = await place.read(path);
  if (bytes === null) return null;
  const head = parseHead(bytes, path);
  if (head.manifest_hash === period.manifestHash) return head;
  throw new Refusal(
    'conflict',
    `${path} in ${to} is of another close: its manifest has the hash ${head.manifest_hash}, and the ledger's has ${period.manifestHash}`,
    advise`archive each ledger to a place of its own, and run ${{ operation: 'verify', against: null }}`,
  );
}

async function archivePeriod(
  { database }: Pick<Parts, 'database'>,
  place: ArchivePlace,
  period: PeriodToArchive,
): Promise<ArchivedHead> {
  const proof = await readProofHead(database, period);
  const { bytes, entries, seals } = await inTransaction(database, async (transaction) => {
    const rows = new Compressed();
    rows.add(ARCHIVE_HEAD);
    const proven: ProofEntry[] = [];
    await eachArchivedEntry(transaction, period, (cells) => {
      proven.push({ position: proven.length, ...provenEntry(cells) });
      rows.add(archiveRow(cells));
    });
    const of = await readSealsOf(transaction, period);
    return { bytes: rows.end(), entries: proven, seals: of };
  });
  requireProven({ ...proof, entries, hashes: [] }, period);
  const digest = hash('sha256', bytes);
  const head: ArchivedHead = {
    format: HEAD_FORMAT,
    tenant_id: period.tenantId,
    period_start: period.periodStart,
    entries: entries.length,
    file: `entries-${digest.slice(0, 16)}${ENTRIES_ENDING}`,
    sha256: digest,
    manifest_hash: proof.manifest_hash,
    manifest: proof.manifest,
    lines: proof.lines,
    prices: proof.prices,
    seals,
    follows: period.follows,
  };
  const folder = folderOf(period);
  await place.write(`${folder}/${head.file}`, bytes);
  // It is written last: where it stands, the period is whole.
  await place.write(`${folder}/${HEAD_NAME}`, Buffer.from(`${JSON.stringify(head, null, 1)}\n`));
  return head;
}

/** Refuses to archive anything but what was sealed: a changed entry must not leave the ledger as if it were sealed. */
function requireProven(proof: Proof, { tenantId, periodStart }: PeriodToArchive): void {
  const fault = checkProof(proof, sha256).find(({ holds }) => !holds);
  if (fault === undefined) return;
  throw new Refusal(
    'conflict',
    `period ${periodStart} of "${tenantId}" is not what was sealed of it, and so it is not archived: ${fault.detail}`,
    advise`run ${{ operation: 'verify', against: null }}, which names the entry`,
  );
}

/** The text that is compressed at once: large enough to be compressed well, and small beside a period. */
const PIECE_CHARACTERS = 1 << 20;

/** Text that is compressed as it comes; gzip reads members that follow one another as one file. */
class Compressed {
  readonly #members: Buffer[] = [];
  #text = '';

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE_CHARACTERS) this.#compress();
  }

  end(): Buffer {
    this.#compress();
    return Buffer.concat(this.#members);
  }

  #compress(): void {
    if (this.#text !== '') this.#members.push(gzipSync(this.#text));
    this.#text = '';
  }
}
