import pg from 'pg';
import { errorCode } from '../error-code.ts';
import { Refusal } from '../refusal.ts';
import { advise, type Remedy } from '../remedy.ts';
import { ClocksApart } from './clocks-apart.ts';
import { isDatabaseAway, mayBeCommitted, sqlState } from './database.ts';

/**
 * Explains what the database refused, or why no server could be reached, as what a person can mend;
 * null for any other error. A SQLSTATE or a code of the system decides, and never the words of a
 * message, but for what the driver itself says and gives no code.
 */
export function explainFault(error: unknown): Refusal | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof ClocksApart) return clocksApart(error);
  const said = detailed(error);
  if (mayBeCommitted(error)) return notKnown(said);
  const state = sqlState(error) ?? '';
  const passing = PASSING[state];
  if (passing !== undefined)
    return new Refusal('unavailable', `${passing[0]}: ${said}`, passing[1]);
  if (isDatabaseAway(error)) {
    const code = errorCode(error);
    if (said === WITHOUT_TLS) return notEncrypted(said);
    if (WITHOUT_PASSWORD.test(said)) return noPassword();
    if (OF_OUR_CERTIFICATE.test(code)) return notTaken(said);
    if (OF_ITS_CERTIFICATE.test(code)) return notTrusted(said);
    return new Refusal(
      'unavailable',
      `the server does not answer: ${said}`,
      'start it, or correct its address (DATABASE_URL is the database); then try again',
    );
  }
  // What is fatal ends a connection before it begins: the role that its options name is not there, say.
  const isFatal = error instanceof pg.DatabaseError && error.severity === 'FATAL';
  const known = BY_STATE[state] ?? (isFatal ? notLetIn : undefined);
  if (known !== undefined) return known(said);
  return OF_ITS_MACHINE.test(state) ? notAble(said) : null;
}

/**
 * The same for whoever asks a server of ours, and may not reach the database that it is about: what mends it is
 * for those who run the server.
 */
export function explainFaultOfServer(error: unknown): Refusal | null {
  const refusal = explainFault(error);
  if (refusal === null || mayBeCommitted(error)) return refusal;
  const { kind, message, remedy } = refusal;
  return new Refusal(kind, message, ['for the operator of this server: ', ...remedy]);
}

/** Codes of TLS: the server answers, and its certificate is not one that is trusted for this name and this day. */
const OF_ITS_CERTIFICATE = /CERT|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH|INVALID_CA/;

const notTrusted = (said: string) =>
  new Refusal(
    'unavailable',
    `the certificate of the database is not trusted: ${said}`,
    'name in DATABASE_URL the host that the certificate is for, and the file of the authority that signed it (?sslmode=verify-full&sslrootcert=FILE, which for RDS and Aurora is the global-bundle.pem of AWS); renew a certificate that has expired',
  );

/** The driver says this where the address asks for TLS and the server answers that it has none. */
const WITHOUT_TLS = 'The server does not support SSL connections';

const notEncrypted = (said: string) =>
  new Refusal(
    'misconfigured',
    `DATABASE_URL asks for an encrypted connection, and the server takes none: ${said}`,
    'switch TLS on at the server (ssl = on, with its certificate), or name the server that has it; only where nobody else is on the way to it, leave sslmode out of DATABASE_URL',
  );

/** The driver says this where the server asks for the password of the user, and it was given none. */
const WITHOUT_PASSWORD = /^SASL: .*client password must be a (?:non-empty )?string$/;

const noPassword = () =>
  new Refusal(
    'misconfigured',
    'the database asks for the password of its user, and DATABASE_URL has none',
    'write it there (postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters as %XX), or into PGPASSWORD',
  );

/** What the server says of the certificate of ours: it asks for one, or takes the one that it has seen for none. */
const OF_OUR_CERTIFICATE = /_ALERT_(?:\w*CERT|UNKNOWN_CA)/;

const notTaken = (said: string) =>
  new Refusal(
    'unavailable',
    `the database takes no certificate of this program: ${said}`,
    'name in DATABASE_URL a certificate that it takes, and its key (&sslcert=FILE&sslkey=FILE); renew one that has expired',
  );

/**
 * Faults of the database's own machine and of its inside, such as a library that finds no memory to be loaded. They
 * are no fault of what was asked, so that a producer is to send it again.
 */
const OF_ITS_MACHINE = /^(58|XX)/;

const notAble = (said: string) =>
  new Refusal(
    'unavailable',
    `the database could not do what it was asked: ${said}`,
    "look into the database's own log, and at the memory and the disk of its machine; what waits then goes on by itself",
  );

/** The message, and what the database says beside it of the part that it means. */
function detailed(error: Error): string {
  const detail = error instanceof pg.DatabaseError ? error.detail : undefined;
  return sqlState(error) === NOT_PLANNED && detail !== undefined
    ? `${error.message} (${detail})`
    : error.message;
}

function clocksApart({ message }: ClocksApart): Refusal {
  return new Refusal(
    'unavailable',
    `a clock is wrong, so that nothing is written: ${message}`,
    'set the clock that is wrong, and let the machine keep it right (chrony, ntpd); then everything goes on by itself',
  );
}

/** Whoever does the same once more does it twice, where it stands and has no name of its own. */
const notKnown = (said: string) =>
  new Refusal(
    'unavailable',
    `the connection to the database was lost at the commit, so that it may be done or not: ${said}`,
    advise`see with ${{ operation: 'audit acts' }} whether it stands, before you do it again; events may be sent again in any case, and a worker goes on by itself`,
  );

/** What a server lacks, or what stands in the way of a statement, by SQLSTATE: the message, and the remedy. */
const PASSING: Readonly<Record<string, readonly [string, string]>> = {
  '53100': [
    "the database's disk is full",
    'make room on the disk of the database, or give it a larger one; what waits then goes on by itself',
  ],
  '53200': [
    'the database is short of memory',
    'give its machine more memory, or lower its work_mem or max_connections; what waits then goes on by itself',
  ],
  '53300': [
    'the database takes no more connections',
    'raise its max_connections, or end what holds connections; what waits then goes on by itself',
  ],
  '57014': [
    'the database stopped a statement, and nothing was changed by it',
    'let the user of DATABASE_URL ask for longer ("alter role … set statement_timeout = 0"), and try again',
  ],
  '25P03': [
    'the database ended a transaction that was idle for too long, and nothing was changed by it',
    'let the user of DATABASE_URL wait for longer ("alter role … set idle_in_transaction_session_timeout = 0"), and try again',
  ],
  '25P04': [
    'the database ended a transaction that took too long, and nothing was changed by it',
    'let the user of DATABASE_URL take longer ("alter role … set transaction_timeout = 0"), and try again',
  ],
  '55P03': [
    'another session holds what this needs',
    'try again; where it stays so, pg_locks and pg_stat_activity show who holds it',
  ],
  '40P01': ['another transaction stood in the way, so that this one was undone', 'try again'],
  '40001': ['another transaction stood in the way, so that this one was undone', 'try again'],
  '25006': [
    'the database only reads',
    'give the address of the server that writes in DATABASE_URL (a standby only reads, and so does the former one after a failover); then try again',
  ],
};

/** Answers true where the planner itself refuses, which it does however often it is asked. */
export function isNotPlanned(error: unknown): boolean {
  return sqlState(error) === NOT_PLANNED;
}

const NOT_PLANNED = '0A000';

const noSuchDatabase = (said: string) =>
  new Refusal(
    'misconfigured',
    `DATABASE_URL names a database that is not there: ${said}`,
    'correct the name in DATABASE_URL, or make the database',
  );

const notLetIn = (said: string, further: Remedy = []) =>
  new Refusal('misconfigured', `the database refuses the user of DATABASE_URL: ${said}`, [
    ...advise`correct the user and the password in DATABASE_URL (or DATABASE_URL_FILE); a login of the worker is made by ${{ operation: 'migrate', roles: true }} with SPANLEDGER_WORKER_USER and SPANLEDGER_WORKER_PASSWORD`,
    ...further,
  ]);

/** Who may come from where, and how, is a rule of the server's; a user who is not there breaks it, too. */
const BY_ITS_RULES: Remedy = [
  '; pg_hba.conf of the server says who may come from which address, and where it takes encrypted connections alone, add ?sslmode=verify-full&sslrootcert=FILE',
];

const notPrepared = (said: string) =>
  new Refusal(
    'misconfigured',
    `DATABASE_URL leads through a pooler in transaction mode that keeps no prepared statements: ${said}`,
    'give a DATABASE_URL of Postgres itself, or of the pooler in session mode; PgBouncer 1.21 or newer keeps them where its max_prepared_statements is above 0',
  );

const notMigrated = (said: string) =>
  new Refusal(
    'not_migrated',
    `the database does not have the schema of this version: ${said}`,
    advise`run ${{ operation: 'migrate', roles: false }}`,
  );

const notAllowed = (said: string) =>
  new Refusal(
    'not_permitted',
    `the database's user may not do this: ${said}`,
    'run it as the owner of the schema; infra/README.md, "Who may do what", says what each role is for',
  );

/** A planner that cannot answer a question in the form in which it is asked cannot do so later either. */
const notPlanned = (said: string) =>
  new Refusal(
    'unavailable',
    `the database has no plan for this question: ${said}`,
    'infra/README.md, "Distributed by Citus", says what is answered where the ledger is distributed; ask there for less at once, or tell us the message',
  );

/** Tables, columns, functions and schemas that are missing are those of a migration that is to come. */
const BY_STATE: Readonly<Record<string, (said: string) => Refusal>> = {
  '3D000': noSuchDatabase,
  '26000': notPrepared,
  '28000': (said) => notLetIn(said, BY_ITS_RULES),
  '28P01': notLetIn,
  '42P01': notMigrated,
  '42P05': notPrepared,
  '42703': notMigrated,
  '42883': notMigrated,
  '3F000': notMigrated,
  '42501': notAllowed,
  [NOT_PLANNED]: notPlanned,
};
