import { endpointOf } from '../aws/sqs-client.ts';
import { systemClock } from '../clock.ts';
import { Refusal } from '../refusal.ts';
import type { ClientOptions, EventRecorder, ServerAddress } from './client-contract.ts';
import { BudgetDoor } from './guard/budget-door.ts';
import type { GuardedCall, GuardedFunction } from './guard/guard-call.ts';
import { guardCall } from './guard/guard-call.ts';
import { openHttpSendClient } from './http-send-client.ts';
import { CALLS_UNDER_WAY, Recorder } from './recorder.ts';
import type { SendClient } from './send-client.ts';
import { openSendClient } from './send-client.ts';
import type { TraceStart, UsageTrace } from './tracing/usage-trace.ts';
import { startTrace } from './tracing/usage-trace.ts';

export type {
  CallMeter,
  ClientOptions,
  ClientStatus,
  Loss,
  RecordAnswer,
  ServerAddress,
  Trouble,
  UnmeteredCall,
} from './client-contract.ts';
export type { GuardedCall, GuardedFunction, GuardedRun } from './guard/guard-call.ts';
export type { NewEvent } from './new-event.ts';
export type {
  SpanEnd,
  SpanStart,
  TraceStart,
  UsageSpan,
  UsageTrace,
} from './tracing/usage-trace.ts';

export interface UsageClient extends EventRecorder {
  /** Begins a trace, whose spans are recorded as they end. */
  startTrace(start?: TraceStart): Promise<UsageTrace>;
  /**
   * Reserves what a call may come to, makes it, and records it with its hold; what failed is given back. Throws
   * `BudgetExceeded` where a budget denies it, `ReserveRefused` where nothing can be held for such a call, and
   * `BudgetUnavailable` where nobody can be asked and the budget says to deny then.
   */
  guard<Result>(call: GuardedCall, make: GuardedFunction<Result>): Promise<Result>;
}

/**
 * Throws a `Refusal` when the folder cannot be used, the queue is none for us, or neither a queue nor a
 * server is given.
 */
export function openClient(options: ClientOptions): UsageClient {
  const { clock = systemClock } = options;
  const recorder = new Recorder(options, { sending: openSending(options), clock });
  const { server = null } = options;
  const door = server === null ? null : new BudgetDoor(checkedServer(server));
  return {
    clock,
    record: (event) => recorder.record(event),
    meter: (event) => recorder.meter(event),
    unmetered: (call) => recorder.unmetered(call),
    later: (work) => recorder.later(work),
    afterwards: (record) => recorder.afterwards(record),
    room: () => recorder.room(),
    flush: (within) => recorder.flush(within),
    status: () => recorder.status(),
    async close(within) {
      await door?.idle();
      return recorder.close(within);
    },
    startTrace: async (start) => startTrace(recorder, start),
    guard: (call, make) => guardCall({ recorder, door }, call, make),
  };
}

function openSending(options: ClientOptions): SendClient {
  const { queueUrl = null, server = null, endpoint = null, region = null } = options;
  if (queueUrl !== null) {
    checkQueue(queueUrl);
    const address = { queueUrl, endpoint: endpointOf(queueUrl, endpoint), region };
    return openSendClient({ ...address, callsUnderWay: CALLS_UNDER_WAY });
  }
  if (server !== null) return openHttpSendClient(checkedServer(server));
  throw new Refusal(
    'misconfigured',
    'neither a queueUrl nor a server is given, so that events could go nowhere',
    'give the URL of the queue, or the URL of a server and a key for it',
  );
}

function checkQueue(queueUrl: string): void {
  if (!URL.canParse(queueUrl)) {
    throw new Refusal(
      'misconfigured',
      `queueUrl: ${JSON.stringify(queueUrl)} is not a URL`,
      'give the URL that SQS shows, such as https://sqs.eu-central-1.amazonaws.com/123456789012/usage',
    );
  }
  if (queueUrl.endsWith('.fifo')) {
    throw new Refusal(
      'misconfigured',
      `${queueUrl} is a FIFO queue, and the client sends to standard ones`,
      'give a standard queue; the ledger needs no order and knows duplicates by itself',
    );
  }
}

function checkedServer({ url, key }: ServerAddress): ServerAddress {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (isHttp && key !== '') return { url: url.replace(/\/+$/, ''), key };
  throw new Refusal(
    'misconfigured',
    isHttp ? 'server: its key is empty' : `server: ${JSON.stringify(url)} is not an HTTP URL`,
    'give the address of the server, such as https://usage.example.com, and a key with the role ingest',
  );
}
