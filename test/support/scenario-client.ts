import { usageMiddleware } from '../../src/client/calls/usage-middleware.ts';
import type { CallMeter, NewEvent } from '../../src/client/client.ts';
import { prepareEvent } from '../../src/client/new-event.ts';
import { type InstantMs, parseInstant } from '../../src/clock.ts';

/** A call that a program makes through the AI SDK, with the client's middleware around its model. */
interface AiSdkCall {
  readonly ai_sdk: {
    /** The version of the interface to models: v2 in version 5 of the SDK, v3 in version 6. */
    readonly version: string;
    readonly model: { readonly provider: string; readonly modelId: string };
    readonly prompt?: string;
  } & ({ readonly result: object } | { readonly parts: readonly object[] });
  readonly occurred_at: string;
}

export function isAiSdkCall(body: unknown): body is AiSdkCall {
  return typeof body === 'object' && body !== null && 'ai_sdk' in body;
}

/** Returns the event that the client sends about a call, with the other fields that the scenario gives it. */
export async function textOfAiSdkCall({ ai_sdk: call, ...fields }: AiSdkCall): Promise<string> {
  const at = parseInstant(fields.occurred_at);
  const recorded: NewEvent[] = [];
  const { wrapGenerate, wrapStream } = usageMiddleware(meterInto(recorded, at), {
    specificationVersion: call.version,
  });
  const content = [{ type: 'text', text: call.prompt ?? '' }];
  const asked = { model: call.model, params: { prompt: [{ role: 'user', content }] } };
  if ('result' in call) {
    await wrapGenerate({ ...asked, doGenerate: async () => call.result });
  } else {
    const answered = { stream: ReadableStream.from(call.parts) };
    const { stream } = await wrapStream({ ...asked, doStream: async () => answered });
    for await (const _ of stream);
  }
  const [event] = recorded;
  if (event === undefined) throw new Error('the middleware recorded no call');
  const prepared = prepareEvent({ ...event, ...fields }, at);
  if (prepared.kind === 'refused') throw new Error(prepared.detail);
  return prepared.json;
}

/** A meter that sends nothing, since every pause is over at once beside scenarios, and a flush with it. */
function meterInto(recorded: NewEvent[], at: InstantMs): CallMeter {
  const record = (event: NewEvent) => {
    recorded.push(event);
    return { kind: 'accepted', eventId: event.event_id ?? '', kept: 'memory' } as const;
  };
  return {
    clock: () => at,
    record,
    meter: record,
    unmetered: ({ reason }) => {
      throw new Error(reason);
    },
    later: (work) => work(),
    afterwards: (work) => work(),
  };
}
