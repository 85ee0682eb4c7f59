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
