import type { CallMeter } from '../client-contract.ts';
import type { FetchFunction } from './meter-fetch.ts';
import { meterFetch } from './meter-fetch.ts';
import type { MeterOptions } from './meter-options.ts';

/** What the clients of `openai` and `@anthropic-ai/sdk` have in common; theirs is the type that comes back. */
interface ProviderClient {
  withOptions(options: { readonly fetch: FetchFunction }): unknown;
}

/**
 * The same client, whose calls are recorded: chats, responses and messages, streamed or not, tools, embeddings,
 * pictures, sound, what runs in the background and the results of batches. The client that is given is
 * left as it is.
 */
export function meterClient<Client extends ProviderClient>(
  client: Client,
  meter: CallMeter,
  options: MeterOptions = {},
): Client {
  // The application's own fetch, such as one through a proxy, is what its client holds.
  const own: unknown = Reflect.get(client, 'fetch');
  const inner = typeof own === 'function' ? (own as FetchFunction) : undefined;
  return client.withOptions({ fetch: meterFetch(meter, options, inner) }) as Client;
}
