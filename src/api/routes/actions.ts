import { acceptConflict } from '../../ingest/quarantine/accept-conflict.ts';
import { dismissQuarantine, purgeQuarantine } from '../../ingest/quarantine/dismiss-quarantine.ts';
import { pageQuarantine, showQuarantined } from '../../ingest/quarantine/list-quarantine.ts';
import {
  acceptConflictAnswer,
  acceptConflictRequest,
  dismissAnswer,
  dismissRequest,
  purgeAnswer,
  purgeRequest,
  quarantinedAnswer,
  quarantinedRequest,
  quarantinePageAnswer,
  quarantinePageRequest,
  replayAnswer,
  replayRequest,
} from '../../ingest/quarantine/quarantine-answer.ts';
import { replayQuarantine } from '../../ingest/quarantine/replay-quarantine.ts';
import { closeAnswer, closeRequest } from '../../ledger/closes/close-answer.ts';
import { closePeriods } from '../../ledger/closes/close-periods.ts';
import { closeTenant } from '../../ledger/closes/close-tenant.ts';
import {
  closeTenantAnswer,
  closeTenantRequest,
  keepTenantAnswer,
  keepTenantRequest,
} from '../../ledger/closes/close-tenant-answer.ts';
import { keepTenant } from '../../ledger/closes/keep-tenant.ts';
import { acceptEntries } from '../../ledger/corrections/accept-entries.ts';
import { adjustTenant } from '../../ledger/corrections/adjust-tenant.ts';
import { adjustmentAnswer, adjustRequest } from '../../ledger/corrections/adjustment-answer.ts';
import { correctWhereAnswer, correctWhereRequest } from '../../ledger/corrections/bulk-answer.ts';
import { correctEntry } from '../../ledger/corrections/correct-entry.ts';
import { correctWhere } from '../../ledger/corrections/correct-where.ts';
import {
  acceptAnswer,
  acceptRequest,
  correctionAnswer,
  correctRequest,
  reattributeAnswer,
  reattributeRequest,
} from '../../ledger/corrections/correction-answer.ts';
import { reattributeEntries } from '../../ledger/corrections/reattribute-entries.ts';
import { rerateAnswer, rerateRequest } from '../../ledger/corrections/rerate-answer.ts';
import { rerateMonth } from '../../ledger/corrections/rerate-month.ts';
import { startAnswer, startRequest } from '../../month/month-answer.ts';
import { startMonth } from '../../month/start-month.ts';
import { pushAnswer, pushRequest } from '../../push/push-answer.ts';
import { settleAnswer, settleRequest } from '../../push/settle-answer.ts';
import { unsettleAnswer, unsettleRequest } from '../../push/unsettle-answer.ts';
import { phraseRemedy } from '../../remedy.ts';
import {
  alertAnswer,
  alertsAnswer,
  alertsRequest,
  resolveRequest,
} from '../../stripe/alerts/alert-answer.ts';
import { listAlerts } from '../../stripe/alerts/list-alerts.ts';
import { resolveAlert } from '../../stripe/alerts/resolve-alert.ts';
import { releaseInvoices } from '../../stripe/invoices/invoice.ts';
import { releaseAnswer, releaseRequest } from '../../stripe/invoices/release-answer.ts';
import { pushMonth } from '../../stripe/push-month.ts';
import { reconcileAnswer, reconcileRequest } from '../../stripe/reconcile-answer.ts';
import { reconcileMonth } from '../../stripe/reconcile-month.ts';
import { settleMonth } from '../../stripe/settle-month.ts';
import { unsettleMonth } from '../../stripe/unsettle-month.ts';
import { requestToMake } from '../requests-to-make.ts';
import { listRoute, type Route, route, USUAL_LIMIT } from '../route.ts';
import { stripeOf } from './stripe-side.ts';

const ADMIN = ['admin'] as const;
const OPERATORS = ['admin', 'reader'] as const;

const CORRECTIONS: readonly Route[] = [
  route('POST /v1/entries/{entry}/corrections', {
    about: 'corrections',
    act: 'correct',
    roles: ADMIN,
    summary:
      'take an entry back, and post what it should have been; change null takes it back alone',
    request: correctRequest,
    answer: correctionAnswer,
    use: correctEntry,
  }),
  route('POST /v1/corrections', {
    about: 'corrections',
    act: 'correct',
    roles: ADMIN,
    summary: 'correct every entry that fits',
    request: correctWhereRequest,
    answer: correctWhereAnswer,
    defaults: { dry_run: false },
    use: correctWhere,
  }),
  route('POST /v1/acceptances', {
    about: 'corrections',
    act: 'accept',
    roles: ADMIN,
    summary: 'take entries without a price or a measure as free',
    request: acceptRequest,
    answer: acceptAnswer,
    use: acceptEntries,
  }),
  route('POST /v1/reattributions', {
    about: 'corrections',
    act: 'audit reattribute',
    roles: ADMIN,
    summary: 'give entries without a tenant to one',
    request: reattributeRequest,
    answer: reattributeAnswer,
    defaults: { entry_ids: [] },
    use: reattributeEntries,
  }),
  route('POST /v1/rerates', {
    about: 'corrections',
    act: 'rerate',
    roles: ADMIN,
    summary: 'price the calls of a month by the books as they are now',
    request: rerateRequest,
    answer: rerateAnswer,
    defaults: { dry_run: false },
    use: rerateMonth,
  }),
  route('POST /v1/tenants/{tenant}/adjustments', {
    about: 'corrections',
    act: 'adjust',
    roles: ADMIN,
    summary: 'a credit or a fee, which the customer reads on the statement with its reason',
    request: adjustRequest,
    answer: adjustmentAnswer,
    namedBy: 'id',
    use: adjustTenant,
  }),
];

const QUARANTINE: readonly Route[] = [
  route('GET /v1/quarantine', {
    about: 'quarantine',
    roles: OPERATORS,
    summary: 'events that could not be posted, the oldest first',
    request: quarantinePageRequest,
    answer: quarantinePageAnswer,
    defaults: { all: false, limit: USUAL_LIMIT },
    rows: 'quarantine',
    use: pageQuarantine,
  }),
  route('GET /v1/quarantine/{quarantined}', {
    about: 'quarantine',
    roles: OPERATORS,
    summary: 'one of them, with its reason and its body',
    request: quarantinedRequest,
    answer: quarantinedAnswer,
    use: showQuarantined,
  }),
  route('POST /v1/quarantine/replay', {
    about: 'quarantine',
    act: 'quarantine replay',
    roles: ADMIN,
    summary: 'read and post them again; none named means all that wait',
    request: replayRequest,
    answer: replayAnswer,
    defaults: { quarantine_ids: [] },
    use: replayQuarantine,
  }),
  route('POST /v1/quarantine/dismiss', {
    about: 'quarantine',
    act: 'quarantine dismiss',
    roles: ADMIN,
    summary: 'let events wait no longer, with a reason',
    request: dismissRequest,
    answer: dismissAnswer,
    use: dismissQuarantine,
  }),
  route('POST /v1/quarantine/purge', {
    about: 'quarantine',
    act: 'quarantine purge',
    roles: ADMIN,
    summary: 'erase the bodies of dismissed events',
    request: purgeRequest,
    answer: purgeAnswer,
    use: purgeQuarantine,
  }),
  route('POST /v1/quarantine/{quarantined}/accept', {
    about: 'quarantine',
    act: 'quarantine accept',
    roles: ADMIN,
    summary: 'take the content of a conflict for the right one, as a correction',
    request: acceptConflictRequest,
    answer: acceptConflictAnswer,
    use: acceptConflict,
  }),
];

const MONTH: readonly Route[] = [
  route('POST /v1/closes', {
    about: 'month',
    act: 'close',
    roles: ADMIN,
    summary: 'close the periods that begin in a month, of each tenant whose period has ended',
    request: closeRequest,
    answer: closeAnswer,
    use: closePeriods,
  }),
  route('POST /v1/months/{month}/run', {
    about: 'month',
    act: 'run-month',
    roles: ADMIN,
    summary:
      'start the whole monthly job, which goes on by itself; GET /v1/months/{month} says how far it is',
    request: startRequest,
    answer: startAnswer,
    defaults: { dry_run: false },
    use: ({ phrase = (remedy) => phraseRemedy(remedy, requestToMake), ...parts }, request) =>
      startMonth({ ...stripeOf(parts), phrase }, request),
  }),
  route('POST /v1/releases', {
    about: 'month',
    act: 'stripe release',
    roles: ADMIN,
    summary: 'let go the held invoices whose usage is proven to be in Stripe',
    request: releaseRequest,
    answer: releaseAnswer,
    use: (parts, request) => releaseInvoices(stripeOf(parts), request),
  }),
  route('POST /v1/tenants/{tenant}/close', {
    about: 'month',
    act: 'tenant close',
    roles: ADMIN,
    summary:
      'end the running period of a customer who leaves, and close it; again to move one that is to come',
    request: closeTenantRequest,
    answer: closeTenantAnswer,
    use: closeTenant,
  }),
  route('POST /v1/tenants/{tenant}/stay', {
    about: 'month',
    act: 'tenant stay',
    roles: ADMIN,
    summary: 'withdraw a leave that is still to come',
    request: keepTenantRequest,
    answer: keepTenantAnswer,
    use: keepTenant,
  }),
  route('POST /v1/pushes', {
    about: 'month',
    act: 'push',
    roles: ADMIN,
    summary: 'tell Stripe what each closed period of a month came to, once',
    request: pushRequest,
    answer: pushAnswer,
    defaults: { dry_run: false },
    use: (parts, request) => pushMonth(stripeOf(parts), request),
  }),
  route('POST /v1/reconciliations', {
    about: 'month',
    act: 'reconcile',
    roles: ADMIN,
    summary: 'compare what Stripe counted with what was told',
    request: reconcileRequest,
    answer: reconcileAnswer,
    use: (parts, request) => reconcileMonth(stripeOf(parts), request),
  }),
  route('POST /v1/settlements', {
    about: 'month',
    act: 'stripe settled',
    roles: ADMIN,
    summary: 'record what a person billed elsewhere',
    request: settleRequest,
    answer: settleAnswer,
    use: settleMonth,
  }),
  route('POST /v1/settlements/{identifier}/reverse', {
    about: 'month',
    act: 'stripe unsettle',
    roles: ADMIN,
    summary: 'take back what was recorded as settled and was not billed',
    request: unsettleRequest,
    answer: unsettleAnswer,
    use: unsettleMonth,
  }),
  listRoute('GET /v1/alerts', {
    about: 'month',
    roles: OPERATORS,
    summary: 'what a person must look at',
    request: alertsRequest,
    answer: alertsAnswer,
    defaults: { all: false },
    rows: 'alerts',
    idOf: ({ alert_id }) => alert_id,
    numbered: 'up',
    use: listAlerts,
  }),
  route('POST /v1/alerts/{alert}/resolve', {
    about: 'month',
    act: 'stripe resolve',
    roles: ADMIN,
    summary: 'say what was done about an alert',
    request: resolveRequest,
    answer: alertAnswer,
    use: resolveAlert,
  }),
];

/** The routes by which an operator changes the ledger and the month. */
export const ACTIONS: readonly Route[] = [...CORRECTIONS, ...QUARANTINE, ...MONTH];
