import { textOfBytes } from '../../events/text-of-bytes.ts';
import { type TakingParts, takeEvents } from '../../ingest/taking/take-events.ts';
import type { TakenAnswer } from '../../ingest/taking/taken-answer.ts';
import type { Caller } from '../../keys/key.ts';
import { problem } from '../problem.ts';
import { type BodyLimits, readBytes } from '../read-bytes.ts';
import { jsonReply, type Reply } from '../reply.ts';
import { cloudEventOf } from './cloud-event-headers.ts';
import type { IngestDoor } from './ingest-doors.ts';
import { isProtobufType, mediaTypeOf } from './media-type.ts';
import { otlpReply } from './otlp-reply.ts';

/** As facts of exporters have it: a batch of spans has some megabytes at the most. */
export const LIMITS: BodyLimits = { sentBytes: 16 * 1024 * 1024, unfoldedBytes: 64 * 1024 * 1024 };

/** Takes the request of a producer, and answers in the manner of its door. */
export async function takeRequest(
  door: IngestDoor,
  parts: TakingParts & { readonly took: (taken: TakenAnswer) => void },
  { request, key }: { readonly request: Request; readonly key: Caller },
): Promise<Reply> {
  const type = mediaTypeOf(request);
  if (!isKnownType(type)) return refuseType(door, type);
  const read = await readBytes(request, LIMITS);
  if (read.kind === 'refused') return read.reply;
  const isProtobuf = isProtobufType(type);
  const { bytes } = read;
  const text = isProtobuf ? '' : textOfBytes(bytes).replace(/^\uFEFF/, '');
  if (saysNothing(bytes, text, isProtobuf)) return answerNothing(door, request, isProtobuf);
  const event = isProtobuf ? null : cloudEventOf(request.headers, text);
  if (event === null && isNoJson(text, isProtobuf)) return refuseNoise();
  const answer = await takeEvents(parts, {
    body: isProtobuf ? bytes.toString('base64') : (event ?? text),
    contentType: isProtobuf ? 'application/x-protobuf' : 'application/json',
    scope: { source: key.source, tenantIds: key.tenantIds },
  });
  parts.took(answer);
  if (isAllRefused(answer)) return refuseAll(answer);
  return door.manner === 'otlp' ? otlpReply(door, answer, isProtobuf) : eventsReply(answer);
}

/** A type that is left out, or says no more than that it is text or bytes, is told apart by the body. */
function isKnownType(type: string): boolean {
  return (
    isProtobufType(type) ||
    /^(?:|text\/plain|application\/octet-stream|application\/(?:[\w.+-]+\+)?json|application\/(?:x-)?(?:ndjson|jsonl(?:ines)?))$/.test(
      type,
    )
  );
}

function refuseType(door: IngestDoor, type: string): Reply {
  return problem('unsupported_media_type', {
    detail: `${door.path} takes no ${type}`,
    remedy: `send ${door.types.join(' or ')}`,
    headers: { accept: door.types.join(', ') },
  });
}

/** Connection tests send an empty body, and exporters with nothing to say an empty request. */
function saysNothing(bytes: Buffer, text: string, isProtobuf: boolean): boolean {
  if (isProtobuf) return bytes.length === 0;
  return /^\s*(?:\{\s*\}|\[\s*\])?\s*$/.test(text.slice(0, 1000)) && text.length <= 1000;
}

/** A body that does not begin like JSON is not an event: the answer says so, and nothing of it is kept. */
function isNoJson(text: string, isProtobuf: boolean): boolean {
  return !isProtobuf && !/^\s*[[{]/.test(text);
}

function refuseNoise(): Reply {
  return problem('bad_request', {
    detail: 'the body is not JSON',
    remedy:
      'send events as JSON, one JSON object a line, or OTLP as protobuf with its content type',
  });
}

function answerNothing(door: IngestDoor, request: Request, isProtobuf: boolean): Reply {
  const isTest = request.headers.get('x-test-connection') !== null;
  if (door.manner === 'otlp') return otlpReply(door, NOTHING, isProtobuf);
  if (door.path !== '/v1/events' || isTest) return jsonReply(NOTHING, 200);
  return problem('bad_request', {
    detail: 'the body holds no event',
    remedy: 'send an event as JSON, or {"events":[…]}',
  });
}

const NOTHING: TakenAnswer = { taken: 0, not_taken: 0, events: [] };

/** 202 says that every event was taken; 207 that each has an outcome of its own. */
function eventsReply(answer: TakenAnswer): Reply {
  return jsonReply(answer, answer.not_taken === 0 ? 202 : 207);
}

function isAllRefused({ events }: TakenAnswer): boolean {
  return events.length > 0 && events.every(({ outcome }) => NOWHERE.has(outcome));
}

const NOWHERE: ReadonlySet<string> = new Set(['refused', 'too_large']);

/** What the first of them is refused for speaks for all of them; each has its own outcome beside it. */
function refuseAll({ events }: TakenAnswer): Reply {
  const isTooLarge = events[0]?.outcome === 'too_large';
  return problem(isTooLarge ? 'too_large' : 'not_permitted', {
    detail: events[0]?.detail ?? 'no event was let in',
    remedy: isTooLarge
      ? 'send less in its tags and members'
      : 'send it with a key that may name its tenant',
    // A sender tells by the outcomes that it is the events which are refused, and not its role.
    more: { events },
  });
}
