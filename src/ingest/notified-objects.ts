import { type ObjectName, objectsNamedBy } from '../events/envelope.ts';
import { isGzip, unfold } from '../events/folded.ts';
import { type ReadContext, readBody } from '../events/read-body.ts';
import { type ReadItem, refuse } from '../events/read-item.ts';

/** Objects that notifications name, where an operator lets them be fetched. */
export interface ObjectSource {
  /** Throws where the object cannot be had; the error says why. */
  read(name: ObjectName): Promise<Buffer>;
}

/** Whether a body may be a notification of S3; most bodies are none, and are not parsed to know. */
export function mayNameObjects(body: string): boolean {
  return body.includes('bucket') && body.includes('object') && objectsNamedBy(body).length > 0;
}

/**
 * The events in the objects that a notification names. An object that cannot be had, and what cannot be read
 * of one, waits in quarantine as the notification: what an object holds may be prompts, which are not kept.
 */
export async function readNotified(
  body: string,
  context: ReadContext,
  objects: ObjectSource,
): Promise<readonly ReadItem[]> {
  const read = objectsNamedBy(body).map((name) => readObject(name, { ...context, body, objects }));
  return (await Promise.all(read)).flat();
}

interface Reading extends ReadContext {
  readonly body: string;
  readonly objects: ObjectSource;
}

/** Bedrock puts long prompts and answers beside its logs, which count their tokens. */
const CONTENT_KEY = /\/data\/[^/]+_(?:input|output)\.json(?:\.gz)?$/;
const CONTENT = 'the text of a call, whose tokens its log counts';

async function readObject(name: ObjectName, reading: Reading): Promise<readonly ReadItem[]> {
  const { body, objects, ...context } = reading;
  if (CONTENT_KEY.test(name.key)) {
    return [{ kind: 'empty', reason: CONTENT, source: null, body: () => body }];
  }
  const notification = () => body;
  const where = `s3://${name.bucket}/${name.key}`.slice(0, 300);
  try {
    const text = textOf(await objects.read(name));
    return readBody(text, { ...context, attributes: {} }).map((item) =>
      item.kind === 'refused'
        ? { ...item, detail: `${where}: ${item.detail}`, body: notification }
        : item,
    );
  } catch (error) {
    const detail = `${where}: cannot be fetched (${String(error)}); let the worker read the bucket, and send the notification again`;
    return [refuse({ reason: 'unknown_format', detail }, notification)];
  }
}

function textOf(bytes: Buffer): string {
  if (!isGzip(bytes)) return bytes.toString('utf8');
  const unfolded = unfold('gzip', bytes, 'the object');
  if (unfolded.kind === 'refused') throw new Error(unfolded.detail);
  return unfolded.bytes.toString('utf8');
}
