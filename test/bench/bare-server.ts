import { serve } from '@hono/node-server';
import { Hono } from 'hono';

/** What Hono alone costs: a route that reads JSON and does nothing with it, in a process of its own. */
const app = new Hono();
app.get('/', (c) => c.json({ ok: true }));
app.post('/', async (c) => {
  await c.req.json();
  return c.json({ ok: true }, 202);
});
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  process.send?.({ url: `http://127.0.0.1:${port}` }),
);
process.once('disconnect', () => process.exit(0));
