import { createServer, type Server } from 'node:net';
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { runMonth } from '../../src/month/run-month.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { unrepeatedHttpClient } from '../../src/stripe/send-once.ts';
import { textRows } from '../support/database.ts';
import type { PushScene } from '../support/stripe.ts';
import { countedBy, DUE_MICRO, METER_EVENTS, ofMonth, openPushScene } from '../support/stripe.ts';
import { brokenLaws } from '../support/worker.ts';
import { sdkOver } from './sdk-over.ts';

/** Stripe takes each connection and answers nothing, which is waited for with a few tenants and not with all. */

const TENANTS = Array.from({ length: 30 }, (_, index) => `t${String(index).padStart(2, '0')}`);
/** Eight are in work at once. */
const MOST_TRIED = 2 * 8;
const TIMEOUT_MS = 400;

let scene: PushScene;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  scene = await openPushScene(TENANTS, {}, (close) => closers.push(close));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  silent.close();
  for (const close of closers.reverse()) await close();
});

/** A Stripe that takes each connection and answers nothing. */
const silent = createServer((socket) => void socket.on('error', () => {}));

/**
 * What works with a Stripe that answers nothing to what is meant, with little patience. Requests that are meant go
 * there by the real client, and are noted.
 */
function withSilence(isMeant: (method: string, path: string) => boolean) {
  const http = unrepeatedHttpClient(Stripe.createNodeHttpClient());
  const send = http.makeRequest.bind(http);
  const asked: string[] = [];
  http.makeRequest = (host, port, path, method, ...rest) => {
    const isUnheard = isMeant(method, path);
    asked.push(`${isUnheard ? 'unheard' : 'heard'} ${method} ${path}`);
    return send(host, isUnheard ? portOf(silent) : port, path, method, ...rest);
  };
  const stripe = sdkOver(scene.double, http, TIMEOUT_MS);
  return { parts: { ...scene.options, stripe }, asked };
}

function portOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return String(address.port);
}

const statesOf = (rows: readonly { readonly tenant_id: string; readonly state: string }[]) =>
  rows.filter((row) => row.tenant_id !== 'unattributed').map(({ state }) => state);

it('reads that nobody answers end the push after a few tenants, and nothing is sent', async () => {
  const { parts, asked } = withSilence((_, path) => path.startsWith('/v1/customers/'));

  const rows = await pushMonth(parts, ofMonth(scene.month));

  expect(new Set(statesOf(rows))).toEqual(new Set(['skipped']));
  const stopped = rows.filter(({ detail }) => detail?.startsWith('stopped for every tenant'));
  // A lane that gives up before the last one does begins one tenant more.
  expect(stopped.length).toBeGreaterThan(TENANTS.length - MOST_TRIED);
  expect(stopped[0]?.detail).toMatch(/Stripe does not answer, and 8 tenants in a row were tried/);
  const unheard = new Set(asked.filter((request) => request.startsWith('unheard')));
  expect(unheard.size).toBeLessThan(MOST_TRIED);
  expect(asked).not.toContain(`heard POST ${METER_EVENTS}`);
});

it('events that nobody answers end the push; the month asks Stripe nothing more, and the next run bills each tenant once', async () => {
  const { parts, asked } = withSilence((_, path) => path === METER_EVENTS);

  let askedByPush = 0;
  const onStep = (step: string) => {
    if (step === 'push') askedByPush = asked.length;
  };
  const { done, steps } = await runMonth(
    { ...parts, phrase: remedyText, onStep },
    { month: scene.month, folder: null, issuer: 'Spanledger' },
  );

  expect(done).toBe(false);
  expect(steps.slice(-4)).toMatchObject([
    { step: 'push', state: 'unfinished' },
    ...['confirm', 'release', 'verify'].map((step) => ({
      ...{ step, state: 'unfinished' },
      detail: 'not begun, since Stripe did not answer; the next run does it',
    })),
  ]);
  expect(steps.find(({ step }) => step === 'push')?.detail).toMatch(
    /^0 of 31 periods told to Stripe; 30 periods wait: stopped for every tenant: Stripe does not answer, .*; run "spanledger push 2026-10" again once Stripe is back; what was sent stays sent/,
  );
  const intents = await textRows(scene.database, 'select state, attempts from push_intents');
  expect(intents.length).toBeLessThan(MOST_TRIED);
  // What a lane had begun by then was never sent.
  const stateOf = ({ attempts }: (typeof intents)[number]) =>
    attempts === '0' ? 'pending' : 'sent';
  expect(intents.map(({ state }) => state)).toEqual(intents.map(stateOf));
  expect(intents.filter(({ state }) => state === 'sent').length).toBeGreaterThanOrEqual(8);
  expect(asked).toHaveLength(askedByPush);

  const rows = await pushMonth(scene.options, ofMonth(scene.month));
  expect(statesOf(rows)).toEqual(TENANTS.map(() => 'confirmed'));
  expect(countedBy(scene.double)).toEqual(TENANTS.map((tenant) => `cus_${tenant} ${DUE_MICRO}`));
  expect(await brokenLaws(scene.database)).toEqual([]);
});
