import type { TakenAnswer } from '../../ingest/taking/taken-answer.ts';
import { jsonReply, type Reply } from '../reply.ts';
import type { IngestDoor } from './ingest-doors.ts';
import { isProtobufType, mediaTypeOf } from './media-type.ts';

/**
 * Returns an OTLP response in the encoding of the request; what was not taken is a partial success.
 */
export function otlpReply(door: IngestDoor, answer: TakenAnswer, isProtobuf: boolean): Reply {
  const rejected = answer.not_taken;
  const message = rejected === 0 ? '' : messageOf(answer);
  if (isProtobuf) {
    const body = rejected === 0 ? new Uint8Array() : partialSuccess(rejected, message);
    return { status: 200, type: 'application/x-protobuf', body, headers: {} };
  }
  if (rejected === 0) return jsonReply({});
  return jsonReply({
    partialSuccess: { [door.rejected]: String(rejected), errorMessage: message },
  });
}

/**
 * Returns a problem as exporters of OTLP read it, who ask for a Status in the encoding of their
 * request: protobuf for protobuf, and in JSON a `message` beside the members of a problem document.
 */
export function otlpFault(door: IngestDoor, request: Request, reply: Reply): Reply {
  if (door.manner !== 'otlp' || reply.status < 400) return reply;
  const said = JSON.parse(String(reply.body)) as {
    readonly detail: string;
    readonly remedy: string;
  };
  const message = `${said.detail}: ${said.remedy}`;
  if (!isProtobufType(mediaTypeOf(request))) {
    return { ...reply, body: JSON.stringify({ ...said, message }) };
  }
  return { ...reply, type: 'application/x-protobuf', body: textField(2, message) };
}

/** The first reasons say enough; each event has its own in quarantine. */
function messageOf({ events }: TakenAnswer): string {
  const details = events.flatMap(({ outcome, detail }) =>
    ['quarantined', 'conflict', 'too_large', 'refused'].includes(outcome)
      ? [`${outcome}: ${detail ?? ''}`]
      : [],
  );
  return [...new Set(details)].slice(0, 3).join('; ').slice(0, 1000);
}

/** Export…ServiceResponse { partial_success = 1 { rejected = 1, error_message = 2 } }. */
function partialSuccess(rejected: number, message: string): Uint8Array {
  const inner = Buffer.concat([Buffer.from([0x08, ...varint(rejected)]), textField(2, message)]);
  return Buffer.concat([Buffer.from([0x0a, ...varint(inner.length)]), inner]);
}

function textField(number: number, text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.from([number * 8 + 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
