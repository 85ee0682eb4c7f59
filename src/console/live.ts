import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { pause } from '../clock.ts';
import { PRIVATE } from './console-headers.ts';
import type { ConsoleContext } from './door.ts';
import { askMonthTable, monthWhole } from './pages/month.ts';
import { monthProgress, progressSaid } from './pages/month-progress.ts';
import type { PageAsked } from './pages/page-asked.ts';
import type { Html } from './view/amounts.ts';

/** The parts of a page are looked at so often, and sent where they changed. */
const LOOK_EVERY_MS = 1_000;

/** A stream ends after this time; the browser asks again by itself, and whoever may no longer look is told so. */
const STREAM_MS = 15_000;

/** Serves the month's page while its run goes on, as server-sent events: the name of each is the part that it replaces. */
export function addLive(
  app: Hono<{ Bindings: HttpBindings }>,
  ask: (c: ConsoleContext) => Promise<PageAsked | Response>,
): void {
  app.get('/console/live/month', async (c) => {
    const asked = await ask(c);
    if (asked instanceof Response) return asked;
    // Proxies that gather an answer before they pass it on leave this one as it comes.
    for (const [name, value] of Object.entries({ ...PRIVATE, 'x-accel-buffering': 'no' })) {
      c.header(name, value);
    }
    return streamSSE(c, (stream) => followMonth(asked, stream));
  });
}

async function followMonth(asked: PageAsked, stream: SSEStreamingApi): Promise<void> {
  const sent = new Map<string, string>();
  const send = async (parts: Readonly<Record<string, Html | string>>) => {
    for (const [event, part] of Object.entries(parts)) {
      const data = String(await part);
      if (sent.get(event) === data) continue;
      sent.set(event, data);
      await stream.writeSSE({ event, data });
    }
  };
  for (let waited = 0; waited < STREAM_MS && !stream.aborted; waited += LOOK_EVERY_MS) {
    const table = await askMonthTable(asked);
    await send({ ...monthProgress(asked, table), said: progressSaid(table) });
    if (!table.is_running) {
      asked.kept.outdate();
      await send(await monthWhole(asked, table));
      await stream.writeSSE({ event: 'end', data: '' });
      return;
    }
    await pause(LOOK_EVERY_MS);
  }
}
