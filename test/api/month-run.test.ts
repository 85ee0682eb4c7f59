import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseInstant } from '../../src/clock.ts';
import { startAnswer } from '../../src/month/month-answer.ts';
import { type BillingScene, openBillingScene } from '../stripe/billing-scene.ts';
import { type RunningConsole, startConsole } from '../support/console.ts';
import { count } from '../support/database.ts';

let scene: BillingScene;
let running: RunningConsole;

beforeAll(async () => {
  scene = await openBillingScene({ withWebhooks: false });
  const { parts, double, database } = scene;
  await double.control.setClock(parseInstant('2026-11-01T00:30:00Z'));
  running = await startConsole(database, { clock: parts.clock, stripeParts: parts });
});

afterAll(async () => {
  await running.close();
  await scene.close();
});

it('a run of the month is asked for by a request, which may say that it only looks', async () => {
  const key = await running.key('admin');
  const response = await fetch(`${running.url}/v1/months/2026-10/run`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': 'a-look',
    },
    body: JSON.stringify({ dry_run: true }),
  });
  expect(startAnswer.parse(await response.json())).toMatchObject({
    state: 'dry_run',
    plan: {
      closes: expect.arrayContaining([expect.objectContaining({ tenant_id: 'acme' })]),
      pushes: expect.arrayContaining([
        expect.objectContaining({ tenant_id: 'acme', state: 'would_send' }),
      ]),
    },
  });
  expect(await count(scene.database, 'closes')).toBe(0);
});
