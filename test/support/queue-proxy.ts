import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/** One call as it went over HTTP. */
export interface QueueCall {
  /** Such as `SendMessageBatch`. */
  readonly action: string;
  readonly entries: readonly SentEntry[];
  /** Characters of all message bodies, sent or received. */
  readonly payloadBytes: number;
}

export interface SentEntry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId?: string;
}

interface FailedEntry {
  readonly Code: string;
  readonly SenderFault: boolean;
}

/** Stands before a queue server and does what the server cannot: be away, and fail single entries. */
export interface QueueProxy {
  readonly endpoint: string;
  readonly calls: readonly QueueCall[];
  /** Breaks every call from now on. */
  cut(): void;
  restore(): void;
  /** Entries for which this answers a failure do not reach the queue. */
  failEntries(fails: (entry: SentEntry) => FailedEntry | null): void;
  /** Whoever receives from now on holds a message for so long, whatever was asked for. */
  holdFor(seconds: number): void;
  stop(): void;
}

/** Listens on loopback; whoever opens it stops it. */
export async function openQueueProxy(target: string): Promise<QueueProxy> {
  const calls: QueueCall[] = [];
  let isCut = false;
  let fails: (entry: SentEntry) => FailedEntry | null = () => null;
  let held: number | null = null;
  const server = createServer((request, response) => {
    if (isCut) return void request.socket.resetAndDestroy();
    answer(request, response).catch(() => request.socket.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    if (held !== null && action === 'ReceiveMessage') body.VisibilityTimeout = held;
    const sent = await forward(target, request, action, withoutFailed(body, fails));
    const entries: readonly SentEntry[] = body.Entries ?? [];
    const bodies: readonly string[] = [
      ...(action.startsWith('SendMessage') ? [body, ...entries] : []).map((one) => one.MessageBody),
      ...(sent.json.Messages ?? []).map((one: { Body: string }) => one.Body),
    ].filter((one) => one !== undefined);
    calls.push({ action, entries, payloadBytes: bodies.join('').length });
    response.writeHead(sent.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(sent.json));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    calls,
    cut() {
      isCut = true;
      server.closeAllConnections();
    },
    restore() {
      isCut = false;
    },
    failEntries(chosen) {
      fails = chosen;
    },
    holdFor(seconds) {
      held = seconds;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface QueueAnswer {
  readonly Messages?: readonly { readonly Body: string }[];
  readonly Failed?: readonly unknown[];
}

interface Divided {
  readonly body: Record<string, unknown>;
  readonly failed: readonly (FailedEntry & { readonly Id: string })[];
}

function withoutFailed(
  body: { readonly Entries?: readonly SentEntry[] },
  fails: (entry: SentEntry) => FailedEntry | null,
): Divided {
  const failed = (body.Entries ?? []).flatMap((entry) => {
    const failure = 'MessageBody' in entry ? fails(entry) : null;
    return failure === null ? [] : [{ ...failure, Id: entry.Id }];
  });
  const kept = body.Entries?.filter((entry) => !failed.some(({ Id }) => Id === entry.Id));
  return { body: { ...body, ...(kept === undefined ? {} : { Entries: kept }) }, failed };
}

async function forward(
  target: string,
  request: IncomingMessage,
  action: string,
  { body, failed }: Divided,
): Promise<{ readonly status: number; readonly json: QueueAnswer }> {
  const Entries = body['Entries'];
  if (Array.isArray(Entries) && Entries.length === 0) {
    return { status: 200, json: { Failed: failed } };
  }
  const answer = await fetch(target, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization: String(request.headers.authorization),
    },
    body: JSON.stringify(body),
  });
  const json: unknown = await answer.json();
  return {
    status: answer.status,
    json: { ...Object(json), ...(failed.length > 0 && { Failed: failed }) },
  };
}
