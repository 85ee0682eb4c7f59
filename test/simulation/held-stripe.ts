import Stripe from 'stripe';
import { unrepeatedHttpClient } from '../../src/stripe/send-once.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { sdkOver } from '../stripe/sdk-over.ts';
import { joinedAgent } from './joined-sockets.ts';
import type { Actor, Turns } from './turns.ts';

/** The real SDK with our settings, of whoever is no actor: no connection of it waits, or is lost, in between. */
export function joinedStripe(double: StripeDouble): Stripe {
  return sdkOver(
    double,
    joinedClient(double, () => {}),
  );
}

function joinedClient(double: StripeDouble, onChunk: () => void) {
  const agent = joinedAgent(double.accept, onChunk);
  return unrepeatedHttpClient(Stripe.createNodeHttpClient(agent));
}

/** The same, of which each request waits for its turn and is read to its end within it. */
export function heldStripe(double: StripeDouble, actor: Actor, turns: Turns): Stripe {
  const real = joinedClient(double, () => turns.stir());
  const httpClient = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'makeRequest') return value.bind(target);
      return (...given: readonly unknown[]) => {
        const [, , path, method] = given;
        const text = `${method} ${nameOf(String(path))}`;
        const ask = async () => readWhole(await Reflect.apply(value, target, given));
        return turns.ask(actor, { text, isOfPostgres: false, pid: null, ask });
      };
    },
  });
  return sdkOver(double, httpClient);
}

/** Ids at the double differ from run to run, and a seed is to tell the same story each time. */
function nameOf(path: string): string {
  return path.replace(/\?.*/, '').replaceAll(/\/(?:in|ii|sub|cus|price|prod|mtr|evt)_\w+/g, '/id');
}

interface Answered {
  toJSON(): Promise<unknown>;
}

/** What is wrong with the body is found when it is looked at, and not before. */
async function readWhole<Response extends Answered>(response: Response): Promise<Response> {
  const json = response.toJSON();
  await json.catch(() => {});
  return new Proxy(response, {
    get(target, name) {
      if (name === 'toJSON') return () => json;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
