import pg from 'pg';
import { expect, test } from 'vitest';
import { faultOf } from '../../src/database/database-fault.ts';
import { explainFault } from '../../src/database/explain-fault.ts';

test.each([
  ['53100', "the database's disk is full: said", 'make room on the disk'],
  ['53200', 'the database is short of memory: said', 'more memory'],
  ['53300', 'the database takes no more connections: said', 'max_connections'],
])(
  'what the database lacks by state %s is named, with who gives it, and passes',
  (code, message, remedy) => {
    const error = Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
    expect(faultOf(error)).toBe('away');
    expect(explainFault(error)).toMatchObject({ kind: 'unavailable', message });
    expect(String(explainFault(error)?.remedy)).toContain(remedy);
  },
);

test.each(['XX000', '58030', '58P01'])(
  "a fault of the database itself, such as state %s, is nobody else's, and what was asked is to be sent again",
  (code) => {
    const error = Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
    expect(faultOf(error)).toBe('refusing');
    expect(explainFault(error)).toMatchObject({
      kind: 'unavailable',
      message: 'the database could not do what it was asked: said',
    });
  },
);

test.each([
  [
    '57014',
    'refusing',
    'the database stopped a statement, and nothing was changed by it: said',
    'statement_timeout',
  ],
  ['55P03', 'away', 'another session holds what this needs: said', 'pg_locks'],
  [
    '40P01',
    'away',
    'another transaction stood in the way, so that this one was undone: said',
    'try again',
  ],
  ['25006', 'refusing', 'the database only reads: said', 'the server that writes'],
])(
  'a server that answers with state %s is not said to be silent, and what was asked is to be asked again',
  (code, fault, message, remedy) => {
    const error = Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
    expect(faultOf(error)).toBe(fault);
    expect(explainFault(error)).toMatchObject({ kind: 'unavailable', message });
    expect(String(explainFault(error)?.remedy)).toContain(remedy);
  },
);

test.each([
  ['25P03', 'unavailable', 'idle_in_transaction_session_timeout'],
  ['25P04', 'unavailable', 'transaction_timeout'],
])(
  'a transaction that the server ended by state %s is not told as a user whom it refuses',
  (code, kind, setting) => {
    const error = Object.assign(new pg.DatabaseError('said', 4, 'error'), {
      code,
      severity: 'FATAL',
    });
    expect(explainFault(error)).toMatchObject({ kind });
    expect(String(explainFault(error)?.remedy)).toContain(setting);
  },
);

test.each(['26000', '42P05'])(
  'a prepared statement that a pooler gave to another session, by state %s, names the pooler',
  (code) => {
    const error = Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
    expect(explainFault(error)).toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('a pooler in transaction mode'),
    });
    expect(String(explainFault(error)?.remedy)).toContain('max_prepared_statements');
  },
);

test('a server that lets in nobody without encryption has the remedy for that, too', () => {
  const said = 'no pg_hba.conf entry for host "10.0.0.7", user "ledger", no encryption';
  const error = Object.assign(new pg.DatabaseError(said, 4, 'error'), { code: '28000' });
  expect(explainFault(error)).toMatchObject({ kind: 'misconfigured' });
  expect(explainFault(error)?.remedy.map(String).join('')).toContain('sslmode=verify-full');
});
