import { expect, it, onTestFinished } from 'vitest';
import {
  addedEndpointAnswer,
  deliveredAnswer,
  endedEndpointAnswer,
  endpointsAnswer,
  removedEndpointAnswer,
  replayedEventsAnswer,
  testedEndpointAnswer,
} from '../../src/webhooks/webhook-answer.ts';
import { freshApi } from '../support/api.ts';
import { cli } from '../support/cli.ts';
import { freshDatabase } from '../support/database.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

it('the commands and routes of webhooks print their answers, and the secret once', async () => {
  const database = await freshDatabase();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const environment = {
    ...{ DATABASE_URL: database.url, SPANLEDGER_LOG_LEVEL: 'silent' },
    SPANLEDGER_WEBHOOK_PRIVATE: 'yes',
  };
  const run = async (...args: readonly string[]) =>
    JSON.parse((await cli(['webhook', ...args, '--json'], environment)).stdout);
  const added = addedEndpointAnswer.parse(
    await run('add', receiver.url, '--events', 'period.closed'),
  );
  const id = added.endpoint_id;
  expect(testedEndpointAnswer.parse(await run('test', id))).toMatchObject({ state: 'delivered' });
  expect(endpointsAnswer.parse(await run('list'))).toMatchObject([{ delivered: 1 }]);
  expect(
    replayedEventsAnswer.parse(await run('replay', '--since', '2026-10-20T12:00:00Z')),
  ).toEqual({
    deliveries: 0,
  });
  expect(deliveredAnswer.parse(await run('deliver', '--until-empty'))).toMatchObject({ dead: 0 });
  expect(endedEndpointAnswer.parse(await run('disable', id)).disabled_at).not.toBeNull();
  expect(removedEndpointAnswer.parse(await run('remove', id))).toMatchObject({ removed: true });
  const api = await freshApi(database);
  const admin = await api.key('admin');
  const inside = await api.ask('/v1/webhooks', admin, { json: { url: receiver.url } });
  expect(inside).toMatchObject({
    status: 400,
    json: { detail: expect.stringContaining('not encrypted') },
  });
  const outside = { json: { url: 'https://example.com/hook' } };
  expect((await api.ask('/v1/webhooks', admin, outside)).json.secret).toMatch(/^whsec_/);
  const list = await api.ask('/v1/webhooks', admin);
  expect([list.status, list.text.includes('whsec_')]).toEqual([200, false]);
  expect((await api.ask('/v1/webhooks', await api.key('reader'))).status).toBe(403);
});
