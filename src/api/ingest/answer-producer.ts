import { isSignedByLangwatch } from '../../ingest/taking/langwatch-signature.ts';
import type { TakenAnswer } from '../../ingest/taking/taken-answer.ts';
import type { ClockWatch } from '../../ingest/worker/clock-watch.ts';
import { type Caller, callerWord } from '../../keys/key.ts';
import type { AppOptions } from '../app-options.ts';
import type { Bearer, KeyDoor } from '../bearer.ts';
import { problem, RETRY_SECONDS } from '../problem.ts';
import { readSent } from '../read-bytes.ts';
import type { Reply } from '../reply.ts';
import type { IngestDoor } from './ingest-doors.ts';
import { LIMITS, takeRequest } from './take-request.ts';

interface ProducerAsked {
  readonly keys: KeyDoor;
  readonly door: IngestDoor;
  readonly took: (taken: TakenAnswer) => void;
  readonly watch: ClockWatch;
}

interface Sent {
  readonly request: Request;
  /** Where the request comes from. */
  readonly address: string;
}

/** Answers a producer: whether it may send, whether it can be heard now, and what became of what it sent. */
export async function answerProducer(
  options: AppOptions,
  { keys, door, took, watch }: ProducerAsked,
  sent: Sent,
): Promise<Reply> {
  const { parts, keeper, isDraining, load } = options;
  // Before anything is done for it: what is refused late costs as much as what is taken.
  if (load.isTooMuch) return refuseNow('this server has more to do than it can', 'send it again');
  const { bearer, request } = await senderOf(options, { keys, door }, sent);
  if (bearer.kind === 'refused') return bearer.reply;
  if (!['ingest', 'admin'].includes(bearer.key.role)) {
    return problem('not_permitted', {
      detail: `a ${callerWord(bearer.key)} with the role ${bearer.key.role} may not send events`,
      remedy: 'use a key with the role ingest',
    });
  }
  if (isDraining()) return refuseNow('this server is ending', 'send it again');
  if (keeper === null) return refuseNow('this server takes no events', NO_KEEPER);
  await watch.refuseWrong();
  return takeRequest(door, { ...parts, keeper, took }, { request, key: bearer.key });
}

/** A gateway that signs has no key; everybody else bears one. */
async function senderOf(
  { parts, langwatchSecret: secret }: AppOptions,
  { keys, door }: Pick<ProducerAsked, 'keys' | 'door'>,
  { request, address }: Sent,
): Promise<{ readonly bearer: Bearer; readonly request: Request }> {
  const signature = request.headers.get('x-langwatch-signature');
  if (secret === null || signature === null || door.path !== '/v1/langwatch') {
    return { bearer: await keys.letInRequest(request, address), request };
  }
  const bytes = await readSent(request, LIMITS.sentBytes);
  const read = new Request(request, { body: new Uint8Array(bytes ?? []) });
  if (isSignedByLangwatch(signature, bytes ?? Buffer.alloc(0), { secret, clock: parts.clock })) {
    return { bearer: { kind: 'known', key: LANGWATCH }, request: read };
  }
  const bearer = await keys.refuse(
    'the signature is not that of the body and SPANLEDGER_LANGWATCH_SECRET',
    address,
  );
  return { bearer, request: read };
}

const LANGWATCH: Caller = {
  keyId: 'langwatch',
  name: 'langwatch',
  role: 'ingest',
  tenantId: null,
  source: null,
  tenantIds: null,
  rate: null,
};

const NO_KEEPER =
  'start the server with SPANLEDGER_QUEUE_URL set, or let it post to the ledger itself';

function refuseNow(detail: string, remedy: string): Reply {
  return problem('unavailable', { detail, remedy, headers: { 'retry-after': RETRY_SECONDS } });
}
