import { type ObjectName, objectsNamedBy } from '../events/envelope.ts';
import { isGzip, unfoldObject } from '../events/folded.ts';
import type { ReadItem } from '../events/item.ts';
import { MOST_ITEMS, tooManyItems } from '../events/json-bounds.ts';
import { type ReadContext, readBody } from '../events/read-body.ts';
import { refuse } from '../events/read-item.ts';
import { textOfBytes } from '../events/text-of-bytes.ts';

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
 * Reads the events in the objects that a notification names. An object that cannot be had, and what
 * cannot be read of one, waits in quarantine as the notification: what an object holds may be
 * prompts, which are not kept.
 */
export async function readNotified(
  body: string,
  context: ReadContext,
  objects: ObjectSource,
): Promise<readonly ReadItem[]> {
  const names = objectsNamedBy(body);
  if (names.length > MOST_OBJECTS) {
    const detail = `the notification names ${names.length} objects, more than ${MOST_OBJECTS}; send it in parts`;
    return [refuse({ reason: 'too_large', detail }, () => body)];
  }
  const items: ReadItem[] = [];
  for (const name of names) {
    items.push(...(await readObject(name, { ...context, body, objects })));
    if (items.length > MOST_ITEMS) {
      return [refuse(becauseOfMany(items.length), () => body)];
    }
  }
  return items;
}

/** S3 names one object a notification. */
const MOST_OBJECTS = 100;

function becauseOfMany(count: number) {
  const { reason, message } = tooManyItems(count);
  return { reason, detail: `${message}, as one object a notification` };
}

interface Reading extends ReadContext {
  readonly body: string;
  readonly objects: ObjectSource;
}

/** Bedrock puts long prompts and answers beside its logs, which count their tokens. */
const CONTENT_KEY = /\/data\/[^/]+_(?:input|output)\.json(?:\.gz)?$/;
/** How whoever makes the jobs of a batch says in the key of its results which model it asked. */
const MODEL_IN_KEY = /(?:^|\/)model=([^/]{1,200})\//;
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
    const batchModel = MODEL_IN_KEY.exec(name.key)?.[1] ?? null;
    return readBody(text, { ...context, batchModel, attributes: {} }).map((item) =>
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
  if (!isGzip(bytes)) return textOfBytes(bytes);
  const unfolded = unfoldObject(bytes);
  if (unfolded.kind === 'refused') throw new Error(unfolded.detail);
  return textOfBytes(unfolded.bytes);
}
