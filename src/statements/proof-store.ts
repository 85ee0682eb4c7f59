import { formatInstant } from '../clock.ts';
import { eachRow } from '../database/cursor.ts';
import type { Database, Transaction } from '../database/database.ts';
import { inTransaction } from '../database/database.ts';
import { ENTRIES_PER_BATCH } from '../database/entries-of-batch.ts';
import { type CloseRow, readCloses, readClosesOf } from '../ledger/closes/closed-periods-store.ts';
import { linesOfEntry } from '../ledger/closes/line-of-entry.ts';
import type { Manifest } from '../ledger/closes/manifest.ts';
import type { EntryGroup, ManifestLine } from '../ledger/closes/manifest-lines.ts';
import type { PeriodGroups } from '../ledger/closes/period-groups-store.ts';
import { groupPeriods } from '../ledger/closes/period-groups-store.ts';
import { present } from '../present.ts';
import { loadPriceCatalog } from '../rating/books/price-book-store.ts';
import { Refusal } from '../refusal.ts';
import { advise } from '../remedy.ts';
import { isPriced, priceKey, readColumns, shownColumns } from '../seals/proofs/check-proof.ts';
import { makeProof } from '../seals/proofs/make-proof.ts';
import type { Proof, ProofEntry, ProofPrice } from '../seals/proofs/proof.ts';

/**
 * Reads proofs for the closed periods of a tenant that begin in a month: of one line with the
 * entries behind it, or of every line with all entries of the period.
 */
export async function readProofs(
  database: Database,
  of: { readonly tenantId: string; readonly month: string; readonly line: number | null },
): Promise<readonly Proof[]> {
  const closes = await readCloses(database, of);
  for (const close of closes) {
    const { lines } = requireSealed(close);
    if (of.line !== null) requireProvable(lines, of.line);
  }
  const catalog = await loadPriceCatalog(database.kysely);
  const proofs: Proof[] = [];
  await groupPeriods(database, { periods: closes, catalog }, async (some) => {
    for (const close of some) {
      proofs.push(await inTransaction(database, (trx) => readProof(trx, close, of.line)));
    }
  });
  return proofs;
}

/**
 * Reads what a proof of a whole closed period says beside its entries, for whoever reads those in
 * another way.
 */
export async function readProofHead(
  database: Database,
  period: Pick<CloseRow, 'tenantId' | 'periodStart'>,
): Promise<Omit<Proof, 'entries' | 'hashes'>> {
  const closes = await readClosesOf(database, [period]);
  for (const close of closes) requireSealed(close);
  const catalog = await loadPriceCatalog(database.kysely);
  const heads: Omit<Proof, 'entries' | 'hashes'>[] = [];
  await groupPeriods(database, { periods: closes, catalog }, async (some) => {
    heads.push(...some.map(({ period: close, groups }) => headOf(close, groups)));
  });
  return present(heads[0], `the close of ${period.periodStart} of ${period.tenantId}`);
}

function headOf(close: CloseRow, groups: readonly EntryGroup[]): Omit<Proof, 'entries' | 'hashes'> {
  const { lines }: Manifest = JSON.parse(close.manifest);
  const frozen = { manifest: close.manifest, manifest_hash: close.manifestHash };
  const proven = { lines: provableLines(lines), prices: pricesOf(groups, lines) };
  return { format: 'spanledger-proof-1', ...frozen, ...proven, columns: shownColumns() };
}

function requireSealed(close: CloseRow): Manifest {
  const manifest: Manifest = JSON.parse(close.manifest);
  if (manifest.entries_root !== undefined) return manifest;
  throw new Refusal(
    'not_found',
    `period ${close.periodStart} of tenant "${close.tenantId}" was closed before there were seals`,
    advise`its manifest recomputes (${{ operation: 'verify', against: null }}, law 4), but there is no proof of it`,
  );
}

/** Returns the numbers of the lines behind which entries stand. */
function provableLines(lines: readonly ManifestLine[]): readonly number[] {
  return lines.flatMap((line, index) => (isCarry(line) ? [] : [index + 1]));
}

function isCarry(line: ManifestLine): boolean {
  return line.meter === 'carried_in' || line.meter === 'carried_out';
}

function requireProvable(lines: readonly ManifestLine[], number: number): void {
  const line = lines[number - 1];
  if (line !== undefined && !isCarry(line)) return;
  const provable = lines
    .map((candidate, index) => ({ candidate, number: index + 1 }))
    .filter(({ candidate }) => !isCarry(candidate))
    .map(({ candidate, number: n }) => `${n} ${candidate.model} ${candidate.meter}`);
  throw new Refusal(
    'not_found',
    line === undefined
      ? `the statement has no line ${number}`
      : `line ${number} carries a remainder, and no entries stand behind it`,
    provable.length === 0 ? 'it has no line to prove' : `give one of: ${provable.join(', ')}`,
  );
}

async function readProof(
  transaction: Transaction,
  { period: close, groups }: PeriodGroups<CloseRow>,
  line: number | null,
): Promise<Proof> {
  const manifest: Manifest = JSON.parse(close.manifest);
  const all = pricesOf(groups, manifest.lines);
  const prices =
    line === null ? all : all.filter((price) => Object.values(price.lines).includes(line));
  const keys = line === null ? null : new Set(prices.map((price) => price.key));
  const { entries, leaves } = await readLeaves(transaction, close, {
    keys,
    model: line === null ? null : (manifest.lines[line - 1]?.model ?? ''),
  });
  const frozen = { manifest: close.manifest, manifest_hash: close.manifestHash };
  const lines = line === null ? provableLines(manifest.lines) : [line];
  return makeProof({ ...frozen, lines, prices, entries }, leaves);
}

/**
 * Returns the lines into which the entries of each price count. Usage and corrections of one price
 * share theirs.
 */
function pricesOf(
  groups: readonly EntryGroup[],
  lines: readonly ManifestLine[],
): readonly ProofPrice[] {
  const prices = new Map<string, Record<string, number>>();
  for (const group of groups) {
    if (!group.due) continue;
    if (group.price === null && !['allocation', 'adjustment'].includes(group.kind)) continue;
    const key = keyOf(group);
    const own = prices.get(key) ?? {};
    prices.set(key, own);
    for (const { line, meter } of linesOfEntry(group, lines)) {
      if (line !== null) own[meter] = line;
    }
  }
  return [...prices].map(([key, own]) => ({ key, lines: own }));
}

function keyOf({ kind, requestedModel, serviceTier, late, price }: EntryGroup): string {
  return priceKey({
    kind,
    requested_model: requestedModel,
    service_tier: serviceTier,
    late: late ? 't' : 'f',
    charge_book: price?.book ?? '',
    charge_version: price === null ? '' : formatInstant(price.version),
    charge_rate_id: String(price?.rate.rateId ?? ''),
  });
}

interface LeafRow {
  readonly leaf: Buffer;
  readonly shown: string | null;
  readonly hidden: string | null;
}

/**
 * Reads the hashes of all entries of a period in their order, and what a proof shows of those that
 * are wanted.
 */
async function readLeaves(
  transaction: Transaction,
  period: Pick<CloseRow, 'tenantId' | 'periodStart'>,
  wanted: { readonly keys: ReadonlySet<string> | null; readonly model: string | null },
): Promise<{ readonly entries: readonly ProofEntry[]; readonly leaves: Buffer }> {
  const names = shownColumns();
  const entries: ProofEntry[] = [];
  const leaves: Buffer[] = [];
  const text = `
    select coalesce(e.entry_hash, entry_hash(e, b.salt)) as leaf,
      case when $3::text is null or e.requested_model = $3 then entry_shown(e) end as shown,
      case when $3::text is null or e.requested_model = $3 then encode(entry_hidden(e, b.salt), 'hex') end as hidden
    from entries_of_period($1, $2::date) e join batches b on b.batch_id = e.entry_id / ${ENTRIES_PER_BATCH}
    order by e.entry_id`;
  const values = [period.tenantId, period.periodStart, wanted.model];
  await eachRow<LeafRow>(transaction, { text, values }, ({ leaf, shown, hidden }) => {
    const position = leaves.push(leaf) - 1;
    if (shown === null || hidden === null) return;
    const columns = readColumns(shown, names);
    const isWanted =
      wanted.keys === null || (isPriced(columns) && wanted.keys.has(priceKey(columns)));
    if (isWanted) entries.push({ position, shown, hidden });
  });
  return { entries, leaves: Buffer.concat(leaves) };
}
