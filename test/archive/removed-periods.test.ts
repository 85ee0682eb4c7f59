import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { checkArchive } from '../../src/archive/check-archive.ts';
import { writeArchive } from '../../src/archive/write-archive.ts';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { sealAll } from '../../src/seals/seal-batches.ts';
import { createDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** What an archive says of periods that were taken out of it, and of labels that were changed. */

const MONTHS = ['2026-08', '2026-09', '2026-10'];
const NO_S3 = { s3Endpoint: null };

let archive: string;
let drop: () => Promise<void>;

beforeAll(async () => {
  const made = await createDatabase();
  ({ drop } = made);
  const { database } = made;
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const events = MONTHS.map((month) =>
    nativeEvent({ event_id: month, occurred_at: `${month}-15T12:00:00Z` }),
  );
  await receiveEvents(database, events, '2026-10-20T00:00:00Z');
  const clock = () => parseInstant('2026-11-05T00:00:00Z');
  await sealAll(database, clock);
  for (const month of MONTHS) await closePeriods({ database, clock }, { month, tenant_id: null });
  archive = mkdtempSync(join(tmpdir(), 'spanledger-archive-'));
  const all = { month: null, older_than_months: 0, tenant_id: 'acme' };
  await writeArchive({ database, clock, ...NO_S3 }, { ...all, to: archive });
});
afterAll(async () => {
  rmSync(archive, { recursive: true });
  await drop();
});

/** A copy of the archive, changed; and what its check says. */
async function checkAfter(change: (acme: string) => void) {
  const copy = mkdtempSync(join(tmpdir(), 'spanledger-archive-'));
  onTestFinished(() => rmSync(copy, { recursive: true }));
  cpSync(archive, copy, { recursive: true });
  change(join(copy, 'acme'));
  return checkArchive(NO_S3, { place: copy });
}

function relabel(period: string, label: object): void {
  const path = join(period, 'period.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...label }));
}

it('whole, and without what was before its first period, it holds', async () => {
  expect(await checkAfter(() => {})).toMatchObject({ holds: true, missing: [] });
  const later = await checkAfter((acme) => rmSync(join(acme, '2026-08-01'), { recursive: true }));
  expect(later).toMatchObject({ holds: true, missing: [], periods: [{}, {}] });
});

it('names a period that was taken out, by the one that follows it', async () => {
  const answer = await checkAfter((acme) => rmSync(join(acme, '2026-09-01'), { recursive: true }));
  expect(answer).toMatchObject({
    holds: false,
    periods: [{ holds: true }, { holds: true }],
    missing: [
      expect.stringMatching(
        /^period 2026-09-01 of tenant "acme" .* which period 2026-10-01 follows/,
      ),
    ],
  });
});

it('names entries whose period is said by nothing any more', async () => {
  const answer = await checkAfter((acme) => rmSync(join(acme, '2026-10-01/period.json')));
  expect(answer).toMatchObject({
    holds: false,
    missing: [expect.stringMatching(/^acme\/2026-10-01\/entries-.* has no period.json beside it/)],
  });
});

it.each([
  ['tenant_id', 'bolt', 'acme'],
  ['period_start', '2026-07-01', '2026-09-01'],
  ['entries', 7, 1],
])('believes no %s but the one that was closed', async (label, said, closed) => {
  const answer = await checkAfter((acme) => relabel(join(acme, '2026-09-01'), { [label]: said }));
  expect(answer.holds).toBe(false);
  expect(answer.periods[1]).toMatchObject({
    holds: false,
    detail: `period.json has the ${label} ${JSON.stringify(said)}, and the closed period ${JSON.stringify(closed)}`,
  });
});
