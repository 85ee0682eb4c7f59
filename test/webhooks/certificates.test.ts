import https from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { foldAll } from '../../src/ledger/rollups/fold-batches.ts';
import { openLog } from '../../src/log.ts';
import { deliverDue } from '../../src/webhooks/deliver-events.ts';
import { sendSigned } from '../../src/webhooks/delivery-client.ts';
import { gatherEvents } from '../../src/webhooks/gather-events.ts';
import { addEndpoint, listEndpoints } from '../../src/webhooks/manage-endpoints.ts';
import { putBudget } from '../support/budgets.ts';
import {
  type Certificate,
  type CertificateOf,
  makeAuthority,
  makeCertificate,
} from '../support/certificates.ts';
import { freshDatabase } from '../support/database.ts';
import { importBooks, makeTenant, nativeEvent, receiveEvents } from '../support/ledger.ts';

/** Receivers over TLS, whose certificates are good or bad in each way; one authority is trusted here. */

const DAY = 86_400_000;
const days = (from: number, to: number) => ({
  from: new Date(Date.now() + from * DAY),
  to: new Date(Date.now() + to * DAY),
});
const OURS: CertificateOf = { name: 'receiver', address: [127, 0, 0, 1], ...days(-1, 1) };
const trusted = makeAuthority({ name: 'an authority', ...days(-100, 100) });
const unknown = makeAuthority({ name: 'nobody we know', ...days(-100, 100) });
const usual = tls.getCACertificates('default');

beforeAll(() => tls.setDefaultCACertificates([...usual, trusted.cert]));
afterAll(() => tls.setDefaultCACertificates(usual));

async function receiver({ cert, key }: Certificate): Promise<string> {
  const server = https.createServer({ cert, key }, (request, response) => {
    request.resume();
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

it.each([
  ['by itself', () => makeCertificate(OURS), /signed by itself .*NODE_EXTRA_CA_CERTS/],
  ['by an unknown authority', () => unknown.issue(OURS), /no authority that is trusted here/],
  ['in time, and has expired', () => trusted.issue({ ...OURS, ...days(-9, -2) }), /has expired/],
  ['for later', () => trusted.issue({ ...OURS, ...days(2, 9) }), /is not valid yet/],
  ['for another', () => trusted.issue({ ...OURS, address: [10, 0, 0, 1] }), /for another name/],
] as const)(
  'a receiver whose certificate was signed %s has not taken it, and the answer says so in words',
  async (_, certificate, answer) => {
    const url = await receiver(certificate());
    const request = { url, headers: {}, body: '{}' };
    expect(await sendSigned(request, { allowsPrivate: true })).toEqual({
      ...{ kind: 'failed', answer: expect.stringMatching(answer), retryAfter: null },
    });
  },
);

it('a receiver whose certificate an authority signed that is trusted has taken it', async () => {
  const url = await receiver(trusted.issue(OURS));
  const tried = await sendSigned({ url, headers: {}, body: '{}' }, { allowsPrivate: true });
  expect(tried).toMatchObject({ kind: 'taken', answer: 'status 200' });
});

it('a delivery to a bad certificate waits and is tried again as any other, and status has the words', async () => {
  let now = '2026-10-20T12:00:00Z';
  const clock = () => parseInstant(now);
  const database = await freshDatabase();
  const parts = { database, log: openLog('silent'), allowsPrivateWebhooks: true, clock };
  await importBooks(database, 'standard', 'cost');
  await makeTenant(database, 'acme');
  const url = await receiver(makeCertificate(OURS));
  await addEndpoint(parts, { url, events: null, actor: 'ada' });
  await putBudget(database, { tenant_id: 'acme', thresholds: [1] }, now);
  await receiveEvents(database, [nativeEvent({ event_id: 'spent', occurred_at: now })]);
  await foldAll(database, clock);
  await gatherEvents(parts, { withMissing: false });
  expect(await deliverDue(parts)).toMatchObject({ delivered: 0, failed: 1 });
  expect(await listEndpoints(parts)).toMatchObject([
    { pending: 1, disabled_at: null, last_failure: expect.stringContaining('signed by itself') },
  ]);
  now = '2026-10-20T12:00:06Z';
  expect(await deliverDue(parts)).toMatchObject({ delivered: 0, failed: 1, dead: 0 });
});
