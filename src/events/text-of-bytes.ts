import { isUtf8 } from 'node:buffer';

/**
 * Returns the text of a producer's bytes. What is no UTF-8 in them becomes half of a pair of surrogates, which no field
 * takes: so an event that has it in a field is refused by that field's name. With the character that stands for
 * whatever cannot be read, two names in another encoding would be one name.
 */
export function textOfBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  // Few texts have that character, so that few bytes are looked at twice.
  const isRead = !text.includes(UNREADABLE) || isUtf8(bytes);
  return isRead ? text : text.replaceAll(UNREADABLE, HALF_A_PAIR);
}

/** Whether a text, or the JSON of it, has something that was no UTF-8. */
export function hasUnreadable(text: string): boolean {
  return text.includes(HALF_A_PAIR) || text.includes(ESCAPED);
}

const UNREADABLE = '\uFFFD';
const HALF_A_PAIR = '\uDFFF';
const ESCAPED = '\\udfff';
