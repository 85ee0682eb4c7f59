import type { StatementDocument } from '../statement-answer.ts';
import { sharedSpendOf } from './section-words.ts';

/** A word that a customer may not know, and what it means here. */
export interface Word {
  readonly word: string;
  readonly meaning: string;
}

/** Returns the words of this statement that need explaining, and no others. */
export function glossaryOf(document: StatementDocument): readonly Word[] {
  const all = [...document.lines, ...document.late_lines];
  const has = (test: (meter: string) => boolean) => all.some(({ meter }) => test(meter));
  const words: readonly (readonly [boolean, string, string])[] = [
    [all.length > 0, 'Token', 'a piece of text, about three quarters of an English word'],
    [
      document.usage.tokens.cache_read !== '0' || has((meter) => meter.includes('cache')),
      'Cached input',
      'input that the provider had read before and kept',
    ],
    [
      document.late_lines.length > 0,
      'Earlier period',
      'a month that was closed already: what came for it afterwards is on this statement',
    ],
    [
      sharedSpendOf(document).length > 0,
      'Shared spend',
      'a cost that is divided over those who cause it',
    ],
    [
      has((meter) => meter.startsWith('carried_')),
      'Carried',
      'left from the period before, or for the next one, since it could not be billed in its own',
    ],
    [document.layers !== null, 'Token layer', 'the part of a call that tokens belong to'],
    [
      document.mode === 'shadow',
      'Shadow mode',
      'usage is counted and shown as if it were billed, and is not',
    ],
    [
      document.manifest_hash !== null,
      'Manifest',
      'the record that was frozen at the close; its sha256 is a fingerprint that shows any change',
    ],
  ];
  return words.filter(([isUsed]) => isUsed).map(([, word, meaning]) => ({ word, meaning }));
}
