import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { freshQueue } from '../support/queue.ts';

it("the demo's queue answers on loopback, and on no other address of the machine", async () => {
  const queue = await freshQueue();
  await queue.send('{}');
  expect(await queue.client.depth()).toBe(1);
  const { port } = new URL(queue.endpoint);
  // Every address of 127/8 is this machine, and so are those of its network cards.
  const addresses = Object.values(networkInterfaces()).flatMap((cards) =>
    (cards ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  );
  for (const host of ['127.0.0.2', ...addresses.map(({ address }) => address)]) {
    await expect(fetch(`http://${host}:${port}/`), host).rejects.toThrow('fetch failed');
  }
});
