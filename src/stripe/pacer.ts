import type Stripe from 'stripe';
import { pause } from '../clock.ts';

/** Waits for its turn, so that no more than so many requests go out a second. */
type Pacer = () => Promise<void>;

export interface Pacers {
  readonly meterEvents: Pacer;
  readonly others: Pacer;
}

/**
 * Stripe allows 1,000 meter events a second live, 25 requests a second to any other endpoint, and
 * 25 of any kind in a sandbox. A fifth of the one and four fifths of the others leave room for
 * whatever else uses the account.
 */
const LIVE_METER_EVENTS_A_SECOND = 200;
const OTHERS_A_SECOND = 20;

export function openPacers(livemode: boolean): Pacers {
  const others = openPacer(OTHERS_A_SECOND);
  return { meterEvents: livemode ? openPacer(LIVE_METER_EVENTS_A_SECOND) : others, others };
}

/** Turns come one after another at even distances. */
function openPacer(requestsPerSecond: number): Pacer {
  const distanceMs = 1000 / requestsPerSecond;
  let last: Promise<void> = Promise.resolve();
  return () => {
    const turn = last;
    last = turn.then(() => pause(distanceMs));
    return turn;
  };
}

const METER_EVENTS_PATH = '/v1/billing/meter_events';

/** Has every request wait for its turn here, the SDK's own repetitions too, so that none is forgotten. */
export function pacedHttpClient(client: Stripe.HttpClient, pacers: Pacers): Stripe.HttpClient {
  const send = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    const [, , path] = request;
    await (path.startsWith(METER_EVENTS_PATH) ? pacers.meterEvents() : pacers.others());
    return send(...request);
  };
  return client;
}
