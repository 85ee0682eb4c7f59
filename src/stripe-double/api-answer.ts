import { pause } from '../clock.ts';
import { type Account, accountOf } from './account.ts';
import { accountEndpoints } from './account-endpoint.ts';
import { ApiFailure } from './api-failure.ts';
import { failureReply, injected, jsonReply, type Reply, replyInstead } from './api-reply.ts';
import { creditNoteEndpoints } from './credit-note.ts';
import { customerEndpoints } from './customer.ts';
import { type Call, type Endpoint, matchPath } from './endpoint.ts';
import { eventEndpoints } from './event-log.ts';
import { eventSummaryEndpoints } from './event-summary.ts';
import type { Fault } from './fault.ts';
import { requestDigest } from './idempotency-store.ts';
import { invoiceEndpoints } from './invoice-endpoint.ts';
import { invoiceItemEndpoints } from './invoice-item-endpoint.ts';
import { meterEndpoints } from './meter.ts';
import { meterEventEndpoints } from './meter-event.ts';
import { meterEventAdjustmentEndpoints } from './meter-event-adjustment.ts';
import { priceEndpoints } from './price.ts';
import { productEndpoints } from './product.ts';
import { subscriptionEndpoints } from './subscription-endpoint.ts';
import { webhookEndpoints } from './webhook.ts';
import type { World } from './world.ts';

/** A request to the API, read from the connection. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly params: unknown;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | null;
  readonly requestId: string;
}

const ENDPOINTS: readonly Endpoint[] = [
  ...accountEndpoints,
  ...meterEndpoints,
  ...eventSummaryEndpoints,
  ...meterEventEndpoints,
  ...meterEventAdjustmentEndpoints,
  ...productEndpoints,
  ...priceEndpoints,
  ...customerEndpoints,
  ...subscriptionEndpoints,
  ...invoiceEndpoints,
  ...invoiceItemEndpoints,
  ...creditNoteEndpoints,
  ...eventEndpoints,
  ...webhookEndpoints,
];

/**
 * Answers one request in Stripe's order: the key, the limits, the idempotency key, the parameters,
 * the lock; then the endpoint executes, and only from there on is the answer saved under the key.
 * Never throws what is Stripe's to answer.
 */
export async function answer(
  world: World,
  request: ApiRequest,
  fault: Fault | null,
): Promise<Reply> {
  try {
    const account = accountOf(world.accounts, request.authorization, world);
    const instead = fault === null ? null : replyInstead(fault);
    if (instead !== null) return instead;
    const reply = await answerOnce({ world, account, request, fault });
    return { ...reply, transport: transportOf(fault) };
  } catch (error) {
    if (error instanceof ApiFailure) return failureReply(error);
    throw error;
  }
}

interface Attempt {
  readonly world: World;
  readonly account: Account;
  readonly request: ApiRequest;
  readonly fault: Fault | null;
}

/** Under an idempotency key the request executes once. GET and DELETE ignore the key. */
async function answerOnce(attempt: Attempt): Promise<Reply> {
  const { account, request } = attempt;
  const key = request.method === 'POST' ? request.idempotencyKey : null;
  if (key === null) return execute(attempt);
  const digest = requestDigest(request.method, request.path, request.params);
  const saved = account.idempotency.begin(key, digest, account.clock.now());
  if (saved !== null) {
    const headers = { ...saved.headers, 'idempotent-replayed': 'true' };
    return { ...saved, headers, transport: 'send' };
  }
  let reply: Reply | null = null;
  try {
    reply = await execute(attempt);
    return reply;
  } finally {
    if (reply !== null && isSaved(request, reply)) account.idempotency.save(key, reply);
    else account.idempotency.forget(key);
  }
}

/** v1 saves every answer of an endpoint that executed, a 500 too; v2 only what succeeded. */
function isSaved(request: ApiRequest, reply: Reply): boolean {
  return request.path.startsWith('/v1/') || reply.status < 400;
}

/** Throws an ApiFailure when the endpoint did not start executing, and replies when it did. */
async function execute({ world, account, request, fault }: Attempt): Promise<Reply> {
  const { endpoint, ids } = endpointOf(request);
  const call: Call = { ...request, account, ids };
  const execution = endpoint.prepare(call, request.params);
  const unlock = lock(account, execution.lock);
  try {
    if (fault?.kind === 'hold') await world.gate.wait();
    else if (execution.lock !== null) await pause(world.settings.latencyMs);
    return run(execution.run, fault);
  } finally {
    unlock();
  }
}

function run(endpoint: () => object, fault: Fault | null): Reply {
  try {
    if (fault?.kind === 'stored_500') {
      if (fault.applied) endpoint();
      throw injected(fault, 500);
    }
    return jsonReply(200, endpoint());
  } catch (error) {
    if (error instanceof ApiFailure) return failureReply(error);
    throw error;
  }
}

/** Throws 409 when a call with the same lock is in flight. Status and code are observed, not documented. */
function lock(account: Account, key: string | null): () => void {
  if (key === null) return () => {};
  if (account.inFlight.has(key)) {
    throw new ApiFailure(409, {
      type: 'invalid_request_error',
      code: 'too_many_concurrent_requests',
      message: 'Another meter event for this customer and meter is being processed.',
    });
  }
  account.inFlight.add(key);
  return () => void account.inFlight.delete(key);
}

function endpointOf(request: ApiRequest) {
  for (const endpoint of ENDPOINTS) {
    if (endpoint.method !== request.method) continue;
    const ids = matchPath(endpoint.path, request.path);
    if (ids !== null) return { endpoint, ids };
  }
  throw new ApiFailure(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${request.method}: ${request.path}), or one that the Stripe double does not serve.`,
  });
}

function transportOf(fault: Fault | null): Reply['transport'] {
  if (fault?.kind === 'apply_then_reset') return 'reset';
  return fault?.kind === 'cut_body' ? 'cut' : 'send';
}
