import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { parseInstant } from '../../../src/clock.ts';
import { closeDatabase, type Database, openDatabase } from '../../../src/database/database.ts';
import { sealAll } from '../../../src/seals/seal-batches.ts';
import { cli } from '../../support/cli.ts';
import { TEMPLATE } from '../../support/global-setup.ts';
import { importBooks, nativeEvent, receiveEvents } from '../../support/ledger.ts';
import { startS3 } from '../../support/s3-server.ts';
import { tamper } from '../../support/tamper.ts';

/** A ledger and its backup: a copy of the database's files, for which nobody may be connected to it. */
const ledger = `restored_${randomUUID().replaceAll('-', '')}`;
const backup = `${ledger}_backup`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanledger-restored-'));
});
afterAll(async () => {
  await onServer(`drop database if exists ${ledger}`);
  await onServer(`drop database if exists ${backup}`);
  await rm(folder, { recursive: true });
});

function urlOf(name: string): string {
  const url = new URL(inject('plainUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

async function within(url: string, work: (database: Database) => Promise<unknown>): Promise<void> {
  const database = openDatabase({ url, connections: 4, onConnectionLost: () => {} });
  try {
    await work(database);
  } finally {
    await closeDatabase(database);
  }
}

const onServer = (statement: string) =>
  within(inject('plainUrl'), ({ pool }) => pool.query(statement));

const onLedger = (work: (database: Database) => Promise<unknown>) => within(urlOf(ledger), work);

/** Posts one event, and seals it with what the journal has of it, in one or more seals of that day. */
const postOn = (day: string, eventId: string) =>
  onLedger(async (database) => {
    await receiveEvents(database, [nativeEvent({ event_id: eventId })]);
    await sealAll(database, () => parseInstant(`${day}T12:00:00Z`));
  });

async function backUp(): Promise<void> {
  await onServer(`drop database if exists ${backup}`);
  await onServer(`create database ${backup} template ${ledger}`);
}

async function restore(): Promise<void> {
  await onServer(`drop database ${ledger} with (force)`);
  await onServer(`create database ${ledger} template ${backup}`);
}

const run = (...args: readonly string[]) =>
  cli(args, { DATABASE_URL: urlOf(ledger), SPANLEDGER_LOG_LEVEL: 'silent' });

const linesOf = async (file: string): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('publishing after a backup was restored', () => {
  let before: string;
  let anew: string;
  let names = 0;

  /** Published up to e-3, backed up after e-1, and of the restored ledger another event was posted. */
  beforeEach(async () => {
    names += 1;
    before = join(folder, `before-${names}.jsonl`);
    anew = join(folder, `anew-${names}.jsonl`);
    await onServer(`drop database if exists ${ledger}`);
    await onServer(`create database ${ledger} template ${TEMPLATE}`);
    await onLedger((database) => importBooks(database, 'standard', 'cost'));
    await postOn('2026-10-20', 'e-1');
    await backUp();
    await postOn('2026-10-21', 'e-2');
    await postOn('2026-10-22', 'e-3');
    expect((await run('seal', 'publish', '--to', before)).stderr).toBe('');
    await restore();
    await postOn('2026-10-23', 'e-4');
  });

  const sayRestore = (to: string, from: string, reason = 'the disk of the ledger was lost') =>
    run('seal', 'publish', '--to', to, '--restored-from', from, '--reason', reason);

  it('goes on at a new place, which says first what is lost, and each check against it says so again', async () => {
    // given that the place before takes nothing of another chain
    const refused = await run('seal', 'publish', '--to', before);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('is not the one in the database');
    expect(refused.stderr).toContain(
      `"spanledger seal publish --to PLACE --restored-from ${before} --reason …"`,
    );
    const published = await linesOf(before);

    // when the restore is said at a new one
    const said = await sayRestore(anew, before);
    expect(said.stderr).toBe('');

    // then its first line has the last seal that was kept and each that was lost
    const [kept, ...lost] = published;
    const [first, ...seals] = await linesOf(anew);
    expect(first).toEqual({
      format: 'spanledger-published-restore-1',
      from: before,
      reason: 'the disk of the ledger was lost',
      said_at: expect.any(String),
      kept,
      lost,
    });
    expect(lost).toHaveLength(2);
    expect(seals[0]).toEqual(kept);
    expect(await linesOf(before)).toEqual(published);

    // and it is gone on with as ever, while the place before stays the evidence
    await postOn('2026-10-24', 'e-5');
    expect((await run('seal', 'publish', '--to', anew)).exitCode).toBe(0);
    const holds = await run('verify', '--against', anew);
    expect(holds.exitCode, holds.stdout).toBe(0);
    const [one, other] = lost.map(({ seal, day }) => `${seal} of ${day}`);
    expect(holds.stdout).toContain(
      `goes on from seal ${kept?.['seal']} after a restore, as was said at ${String(first?.['said_at']).slice(0, 19)}`,
    );
    expect(holds.stdout).toContain(
      `lost: 2 published seals of ${before}, seals ${one} to ${other}; see`,
    );
    const evidence = await run('verify', '--against', before);
    expect(evidence.exitCode).toBe(1);
    expect(evidence.stdout).toContain('is not the one that was published');
  });

  it('finds at the new place, too, what is written anew before the restore', async () => {
    await sayRestore(anew, before);
    await onLedger((database) =>
      tamper(
        database,
        `delete from seals; insert into change_queue select change_id from changes on conflict do nothing;
         insert into seal_queue select batch_id from batches`,
      ),
    );
    expect((await run('verify', '--against', anew)).exitCode).toBe(1);
    expect((await run('seal', 'publish', '--to', anew)).exitCode).toBe(1);
  });

  it('says after a second restore what was said of the first', async () => {
    await sayRestore(anew, before);
    await restore();
    await postOn('2026-10-25', 'e-6');
    const third = `${anew}.third`;
    expect((await sayRestore(third, anew, 'and once more')).stderr).toBe('');
    const said = (await linesOf(third)).filter(({ format }) => String(format).includes('restore'));
    expect(said.map(({ from, reason }) => [from, reason])).toEqual([
      [before, 'the disk of the ledger was lost'],
      [anew, 'and once more'],
    ]);
    const holds = await run('verify', '--against', third);
    expect(holds.exitCode, holds.stdout).toBe(0);
    expect(holds.stdout.match(/^goes on /gm)).toHaveLength(2);
  });

  describe('where the seal that was kept is no longer the last of its day', () => {
    /** It stands in the line of the first restore alone, and not among the seals of that place. */
    let kept: Record<string, unknown> | undefined;
    beforeEach(async () => {
      await restore();
      await postOn('2026-10-20', 'e-4');
      expect((await sayRestore(anew, before)).stderr).toBe('');
      [kept] = await linesOf(before);
      const [first, ...seals] = await linesOf(anew);
      expect(first?.['kept']).toEqual(kept);
      expect(seals).not.toContainEqual(kept);
    });

    it('a second restore to the same backup goes on from it, too', async () => {
      await restore();
      await postOn('2026-10-25', 'e-6');
      const third = `${anew}.third`;
      expect((await sayRestore(third, anew)).stderr).toBe('');
      const [, ...seals] = await linesOf(anew);
      expect((await linesOf(third))[1]).toMatchObject({ kept, lost: seals });
    });

    it('a restore to before it names it among what is lost', async () => {
      // given a backup from before anything was sealed
      await onServer(`drop database ${ledger} with (force)`);
      await onServer(`create database ${ledger} template ${TEMPLATE}`);
      await onLedger((database) => importBooks(database, 'standard', 'cost'));
      await postOn('2026-10-25', 'e-6');

      // then the place before, and one that holds its restore alone, have it among what is lost
      const [first, ...seals] = await linesOf(anew);
      const third = `${anew}.third`;
      expect((await sayRestore(third, anew)).stderr).toBe('');
      expect((await linesOf(third))[1]).toMatchObject({ kept: null, lost: [kept, ...seals] });
      const bare = `${anew}.bare`;
      await writeFile(bare, `${JSON.stringify(first)}\n`);
      expect((await sayRestore(`${bare}.third`, bare)).stderr).toBe('');
      expect((await linesOf(`${bare}.third`))[1]).toMatchObject({ kept: null, lost: [kept] });

      // and nothing is told as if the chain still had it
      const holds = await run('verify', '--against', third);
      expect(holds.exitCode, holds.stdout).toBe(0);
      expect(holds.stdout.match(/^goes on from .* after a restore/gm)).toEqual([
        `goes on from seal ${kept?.['seal']}, as of then, after a restore`,
        'goes on from no seal after a restore',
      ]);
    });
  });

  it('refuses to say a restore where the chain is none that one leaves', async () => {
    const refuses = async (args: readonly string[], says: string) => {
      const { exitCode, stderr } = await run('seal', 'publish', ...args);
      expect(stderr).toContain(says);
      expect(exitCode).not.toBe(0);
    };
    const [reason, words] = ['--reason', 'lost'];
    await refuses(['--to', anew, '--restored-from', before], 'and with a reason');
    await refuses(['--to', anew, reason, words], 'and with a reason');
    await refuses(
      ['--to', before, '--restored-from', before, reason, words],
      `${before} holds seals already`,
    );
    await refuses(
      ['--to', anew, '--restored-from', `${before}.absent`, reason, words],
      'no seal is published at',
    );

    // A chain that has them all, and one that misses an inner one alone.
    await run('seal', 'publish', '--to', anew);
    await refuses(
      ['--to', `${anew}.next`, '--restored-from', anew, reason, words],
      'has every seal that is published in',
    );
    const [inner] = await linesOf(anew);
    await onLedger((database) =>
      tamper(
        database,
        `update seals set seal_hash = sha256('another') where seal_number = ${inner?.['seal']}`,
      ),
    );
    await refuses(
      ['--to', `${anew}.next`, '--restored-from', anew, reason, words],
      'no restore leaves that',
    );
  });

  async function startBucket() {
    const s3 = await startS3();
    s3.makeBucket('audit');
    const onS3 = (...args: readonly string[]) =>
      cli(args, {
        DATABASE_URL: urlOf(ledger),
        SPANLEDGER_LOG_LEVEL: 'silent',
        ...s3.environment,
      });
    return { s3, onS3 };
  }

  it('says it in a bucket under the lock of the seals', async () => {
    const { s3, onS3 } = await startBucket();
    const restored = ['--retain-days', '400', '--restored-from', before, '--reason', 'lost'];
    const place = 's3://audit/anew';
    const said = await onS3('seal', 'publish', '--to', place, ...restored);
    expect(said.stderr).toBe('');
    const [first] = s3.versions('audit');
    expect(first?.key).toMatch(
      /^anew\/\d{4}-\d{2}-\d{2}T\d{6}\.\d{3}Z-restored-to-seal-\d+\.jsonl$/,
    );
    expect(first?.lockMode).toBe('COMPLIANCE');
    expect((await onS3('verify', '--against', place)).stdout).toMatch(/^goes on from seal /m);

    const inside = ['--restored-from', place, '--reason', 'lost', '--retain-days', '400'];
    const refused = await onS3('seal', 'publish', '--to', `${place}/again`, ...inside);
    expect(refused.stderr).toContain(`${place}/again is within ${place}`);
  });

  it('says in a bucket two restores of one day to one seal, the newest first, should it be cut short', async () => {
    const { s3, onS3 } = await startBucket();
    const sayOnS3 = (to: string, from: string, reason: string) => {
      const restored = ['--restored-from', from, '--reason', reason, '--retain-days', '400'];
      return onS3('seal', 'publish', '--to', to, ...restored);
    };
    expect((await sayOnS3('s3://audit/second', before, 'lost')).stderr).toBe('');
    await restore();
    await postOn('2026-10-25', 'e-6');
    expect((await sayOnS3('s3://audit/third', 's3://audit/second', 'again')).stderr).toBe('');

    const said = s3
      .versions('audit')
      .filter(({ key }) => key.startsWith('third/') && key.includes('restored'));
    const restores = said.map(({ body }) => JSON.parse(body?.toString() ?? ''));
    expect(restores.map(({ reason }) => reason)).toEqual(['again', 'lost']);
    expect(restores[0].kept).toEqual(restores[1].kept);
    // The names sort as they were said.
    expect(said.map(({ key }) => key).sort()).toEqual(said.map(({ key }) => key).reverse());
    const holds = await onS3('verify', '--against', 's3://audit/third');
    expect(holds.exitCode, holds.stdout).toBe(0);
    expect(holds.stdout.match(/^goes on /gm)).toHaveLength(2);
  });

  it('says how to go on with the days that were given, where a bucket takes them', async () => {
    const { onS3 } = await startBucket();
    const place = 's3://audit/anew';
    const sayOnS3 = (to: string, from: string) => {
      const restored = ['--restored-from', from, '--reason', 'lost', '--retain-days', '400'];
      return onS3('seal', 'publish', '--to', to, ...restored);
    };
    await sayOnS3(place, before);
    const used = await sayOnS3(place, before);
    expect(used.stderr).toContain(`"spanledger seal publish --to ${place} --retain-days 400"`);
    const whole = await sayOnS3('s3://audit/next', place);
    expect(whole.stderr).toContain('has every seal that is published in');
    expect(whole.stderr).toContain(`"spanledger seal publish --to ${place} --retain-days 400"`);

    // A file takes none.
    await run('seal', 'publish', '--to', anew);
    const file = await sayOnS3('s3://audit/next', anew);
    expect(file.stderr).toContain(`"spanledger seal publish --to ${anew}"`);
  });
});
