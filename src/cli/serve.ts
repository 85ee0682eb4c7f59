import type { Command } from 'commander';
import { startHttpServer } from '../api/http-server.ts';
import { pause } from '../clock.ts';
import { required } from '../config.ts';
import { releaseInvoices } from '../stripe/invoice.ts';
import type { StripeParts } from '../stripe/push.ts';
import { readCount } from './arguments.ts';
import { perform } from './command.ts';
import { stripeParts } from './stripe.ts';

const DEFAULT_PORT = 8080;
/** A held invoice waits so much longer than its proof at the most. */
const RELEASE_EVERY_MS = 5 * 60 * 1000;

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('the webhook endpoint for Stripe (POST /stripe/webhook) and GET /healthz')
    .option('--port <n>', 'the port to listen on', readCount, DEFAULT_PORT)
    .option('--host <address>', 'which address; put a proxy with TLS before it', '127.0.0.1');
  perform<{ port: number; host: string }>(command, async (session, { options }) => {
    const parts = stripeParts(session);
    const webhookSecret = required(session.config, 'STRIPE_WEBHOOK_SECRET');
    const server = await startHttpServer({ parts, webhookSecret, ...options });
    const { url } = server;
    session.out.answer({ url, webhook: `${url}/stripe/webhook` }, `listening on ${url}`);
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
    while (!stop.signal.aborted) {
      await pause(RELEASE_EVERY_MS, stop.signal);
      if (!stop.signal.aborted) await releaseProven(parts);
    }
    await server.close();
  });
}

/** What fails now is tried again at the next turn; the endpoint goes on serving. */
async function releaseProven(parts: StripeParts): Promise<void> {
  try {
    await releaseInvoices(parts, null);
  } catch (error) {
    parts.log.warn({ error: String(error) }, 'held invoices not looked at; trying again later');
  }
}
