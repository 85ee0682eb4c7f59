import { expect, it, onTestFinished } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { closeDatabase, openDatabase } from '../../src/database/database.ts';
import { POSTING_LOCK } from '../../src/database/posting-lock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { ReferenceCache } from '../../src/ledger/posting/reference-cache.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { freshDatabase, textRows } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receive } from '../support/ledger.ts';
import { brokenLaws } from '../support/worker.ts';

const clock = () => parseInstant('2026-11-02T00:00:00Z');

it.each(['repeatable read', 'serializable'])(
  'usage that waited for a close goes to the open period where transactions are %s by default',
  async (level) => {
    const fresh = await freshDatabase();
    await importBooks(fresh, 'standard', 'cost');
    await makeTenant(fresh, 'acme');
    const url = new URL(fresh.url);
    url.searchParams.set(
      'options',
      `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`,
    );
    const database = openDatabase({
      url: url.href,
      connections: 4,
      onConnectionLost: () => {},
    });
    onTestFinished(() => closeDatabase(database));
    const cache = new ReferenceCache();
    const post = (event_id: string) =>
      receive(database, [JSON.stringify(nativeEvent({ event_id }))], '2026-11-02T00:00:00Z', {
        cache,
      });
    await post('before');

    // Whoever held the lock first lets both wait: the close for posting, and then posting for the close.
    const first = await fresh.pool.connect();
    await first.query('begin');
    await first.query('select pg_advisory_xact_lock($1)', [POSTING_LOCK]);
    const waiting = (sessions: number) =>
      expect
        .poll(() =>
          textRows(
            fresh,
            `select count(*) as n from pg_locks where locktype = 'advisory' and not granted
               and database = (select oid from pg_database where datname = current_database())`,
          ),
        )
        .toEqual([{ n: String(sessions) }]);
    const closing = closePeriods({ database, clock }, { month: '2026-10', tenant_id: 'acme' });
    await waiting(1);
    const posting = post('meanwhile');
    await waiting(2);
    await first.query('commit');
    first.release();

    expect(await closing).toMatchObject([{ state: 'closed' }]);
    expect(await posting).toEqual(['posted']);
    await foldAll(database, clock);
    expect(
      await textRows(
        fresh,
        'select event_id, period_start::text, late::text from audit.entries order by 1',
      ),
    ).toEqual([
      { event_id: 'before', period_start: '2026-10-01', late: 'false' },
      { event_id: 'meanwhile', period_start: '2026-11-01', late: 'true' },
    ]);
    expect(await brokenLaws(fresh)).toEqual([]);
  },
);
