import type { Command } from 'commander';
import { unparkRequest } from '../../push/unpark-answer.ts';
import { readRequest } from '../../request.ts';
import { unparkIntent } from '../../stripe/unpark-intent.ts';
import { addActor } from '../terminal/actor.ts';
import { perform } from '../terminal/command.ts';
import { openStripeParts } from '../terminal/stripe-parts.ts';

export function addUnpark(group: Command): void {
  const command = group
    .command('unpark')
    .argument('<identifier>', 'a parked intent; push list --state parked shows them')
    .description("decide a parked push by Stripe's summary: it was counted, or is told anew");
  perform(addActor(command), async (session, { args: [identifier = ''] }) => {
    const request = readRequest(unparkRequest, { identifier });
    const answer = await unparkIntent(await openStripeParts(session), request);
    session.out.answer(answer, answer.detail);
  });
}
