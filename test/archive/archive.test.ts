import { hash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkArchive } from '../../src/archive/check-archive.ts';
import { writeArchive } from '../../src/archive/write-archive.ts';
import { parseInstant } from '../../src/clock.ts';
import { createDatabase, type TestDatabase, textRows } from '../support/database.ts';
import { randomOctober } from '../support/random-october.ts';
import { startS3 } from '../support/s3-server.ts';
import { tamper } from '../support/tamper.ts';

let database: TestDatabase;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await createDatabase());
  await randomOctober(database, 7);
});
afterAll(() => drop());

const NO_S3 = { s3Endpoint: null };
const clock = () => parseInstant('2027-12-05T00:00:00Z');
const everything = { month: null, older_than_months: 13, tenant_id: null };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'spanledger-archive-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const archiveTo = (to: string, change: object = {}) =>
  writeArchive({ database, clock, ...NO_S3 }, { ...everything, to, ...change });

async function archived(): Promise<{ readonly to: string; readonly acme: string }> {
  const to = folder();
  await archiveTo(to);
  return { to, acme: join(to, 'acme/2026-10-01') };
}

/** Writes the entries of a period anew, with the hash of the file beside them, as a forger would. */
function forge(period: string, change: (csv: string) => string): void {
  const head = JSON.parse(readFileSync(join(period, 'period.json'), 'utf8'));
  const csv = gunzipSync(readFileSync(join(period, head.file))).toString('utf8');
  expect(change(csv)).not.toBe(csv);
  const bytes = gzipSync(change(csv));
  writeFileSync(join(period, head.file), bytes);
  writeFileSync(
    join(period, 'period.json'),
    JSON.stringify({ ...head, sha256: hash('sha256', bytes) }),
  );
}

describe('an archive of closed periods', () => {
  it('proves itself without the database, whatever the entries hold', async () => {
    const { to, acme } = await archived();
    const { holds, periods } = await checkArchive(NO_S3, { place: to });
    expect(holds, JSON.stringify(periods)).toBe(true);
    expect(periods.map(({ tenant_id, period_start }) => `${tenant_id} ${period_start}`)).toEqual([
      'acme 2026-10-01',
      'bolt 2026-10-01',
      'unattributed 2026-10-01',
    ]);
    const [own] = await textRows(
      database,
      `select count(*)::int as entries from entries where tenant_id = 'acme' and period_start = '2026-10-01'`,
    );
    expect(periods[0]?.entries).toBe(Number(own?.['entries']));
    expect(periods[0]?.detail).toContain(`all ${own?.['entries']} entries sum to `);
    for (const name of readdirSync(acme)) {
      expect(statSync(join(acme, name)).mode & 0o777, name).toBe(0o600);
    }
  });

  it('is written once: what stands there is left, and what was begun is ended', async () => {
    const { to, acme } = await archived();
    const again = await archiveTo(to);
    expect(again.periods.map(({ written }) => written)).toEqual([false, false, false]);
    // A run that was killed before the last file of a period leaves its entries alone.
    rmSync(join(acme, 'period.json'));
    const third = await archiveTo(to);
    expect(third.periods.map(({ written }) => written)).toEqual([true, false, false]);
    expect(await checkArchive(NO_S3, { place: to })).toMatchObject({ holds: true });
  });

  it('holds what is asked for: a month, a tenant, or what is old enough', async () => {
    const counts = async (change: object) => (await archiveTo(folder(), change)).periods.length;
    expect(await counts({ older_than_months: 14 })).toBe(3);
    expect(await counts({ older_than_months: 15 })).toBe(0);
    expect(await counts({ older_than_months: null, month: '2026-10' })).toBe(3);
    expect(await counts({ older_than_months: null, month: '2026-11' })).toBe(0);
    expect(await counts({ tenant_id: 'bolt' })).toBe(1);
  });

  it.each([
    ['a charge that is another', (csv: string) => csv.replace(/,charged,ok,/, ',charged,error,')],
    ['an entry that is gone', (csv: string) => csv.slice(0, csv.lastIndexOf('\r\nacme,') + 2)],
    ['a cost that nobody sees', (csv: string) => csv.replace(',openai,gpt-4o,', ',openai,gpt-4,')],
  ])('shows %s, even where its file is hashed anew', async (_, change) => {
    const { to, acme } = await archived();
    forge(acme, change);
    const { holds, periods } = await checkArchive(NO_S3, { place: to });
    expect(holds).toBe(false);
    expect(periods.map((period) => period.holds)).toEqual([false, true, true]);
  });

  it('shows a file that is gone or changed', async () => {
    const { to, acme } = await archived();
    const { file } = JSON.parse(readFileSync(join(acme, 'period.json'), 'utf8'));
    writeFileSync(join(acme, file), gzipSync('nothing'));
    const changed = await checkArchive(NO_S3, { place: to });
    expect(changed.periods[0]?.detail).toMatch(/has the hash/);
    rmSync(join(acme, file));
    const gone = await checkArchive(NO_S3, { place: to });
    expect(gone.periods[0]).toMatchObject({
      holds: false,
      detail: `acme/2026-10-01/${file} is gone`,
    });
  });

  it('is refused at a place that has another close of the period', async () => {
    const { to, acme } = await archived();
    const head = JSON.parse(readFileSync(join(acme, 'period.json'), 'utf8'));
    writeFileSync(
      join(acme, 'period.json'),
      JSON.stringify({ ...head, manifest_hash: '0'.repeat(64) }),
    );
    await expect(archiveTo(to)).rejects.toThrow('acme/2026-10-01/period.json');
  });

  it('takes no entry along that is not as it was sealed', async () => {
    const sql = (cost: string) => `
      update entries set cost = ${cost} where entry_id = (
        select min(entry_id) from entries where tenant_id = 'acme' and cost is not null)`;
    await tamper(database, sql('cost + 1'));
    await expect(archiveTo(folder())).rejects.toThrow(
      'period 2026-10-01 of "acme" is not what was sealed of it',
    );
    await tamper(database, sql('cost - 1'));
    expect((await archiveTo(folder())).periods).toHaveLength(3);
  });

  it('proves nothing where nothing is', async () => {
    await expect(checkArchive(NO_S3, { place: folder() })).rejects.toThrow('no period is archived');
  });

  it('stands in a bucket as it stands in a folder', async () => {
    const s3 = await startS3();
    for (const [name, value] of Object.entries(s3.environment)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    s3.makeBucket('archive', { objectLock: false });
    const there = { s3Endpoint: s3.endpoint };
    const to = 's3://archive/ledger';
    const request = { ...everything, to };
    const first = await writeArchive({ database, clock, ...there }, request);
    expect(first.periods.map(({ written }) => written)).toEqual([true, true, true]);
    const again = await writeArchive({ database, clock, ...there }, request);
    expect(again.periods.map(({ written }) => written)).toEqual([false, false, false]);
    expect(s3.versions('archive')).toHaveLength(6);
    expect(await checkArchive(there, { place: to })).toMatchObject({ holds: true });
  });
});
