import type { Command } from 'commander';
import { pause } from '../../clock.ts';
import { readPort } from '../terminal/arguments.ts';
import { perform } from '../terminal/command.ts';
import { listenOn } from '../terminal/listen.ts';
import { stopOnSignal } from '../terminal/signals.ts';

const DEFAULT_PORT = 12_111;

export function addStripeDouble(program: Command): void {
  const command = program
    .command('stripe-double')
    .description('serve a Stripe that knows billing meters, on loopback, for tests and demos')
    .option(
      '--port <n>',
      'the port to listen on; 0 takes one that is free',
      readPort,
      DEFAULT_PORT,
    );
  perform<{ port: number }>(command, async (session, { options }) => {
    const { startStripeDouble } = await import('../../stripe-double/stripe-double.ts');
    const { port } = options;
    const double = await listenOn(port, () => startStripeDouble({ port }));
    const { url, apiKey } = double;
    session.out.answer({ url, api_key: apiKey }, `STRIPE_API_BASE=${url} STRIPE_API_KEY=${apiKey}`);
    const { stop } = stopOnSignal();
    while (!stop.aborted) await pause(60_000, stop);
    await double.close();
  });
}
