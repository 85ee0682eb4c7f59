import { styleText } from 'node:util';
import { expect, test } from 'vitest';
import { drawTable } from '../../src/cli/terminal/table.ts';
import { harmless, harmlessDocument, harmlessValue } from '../../src/text/harmless.ts';

test.each([
  ['a cursor that moves up', '\u001b[2Aok', '\\u001b[2Aok'],
  ['a title of the window', '\u001b]0;x\u0007', '\\u001b]0;x\\u0007'],
  ['a carriage return over the line', 'bad\rgood', 'bad\\u000dgood'],
  ['the escape of eight bits', '\u009b2J', '\\u009b2J'],
  ['text that runs backwards', 'a\u202eb', 'a\\u202eb'],
])('%s is written out and never acted upon', (_, text, shown) => {
  expect(harmless(text)).toBe(shown);
});

test('colours of our own, line ends and other scripts stay', () => {
  const text = `${styleText('red', 'no', { validateStream: false })}\nüñ 漢字`;
  expect(harmless(text)).toBe(text);
});

test('a value with a line end makes no second line in a table', () => {
  const text = drawTable([{ id: 'evt\nTOTAL 0.00' }], [{ title: 'ID', value: ({ id }) => id }], 80);
  expect(text.split('\n')).toHaveLength(2);
  expect(harmlessValue('a\nb\u001b[31m')).toBe('a\\u000ab\\u001b[31m');
});

test('an answer has no control in any of its texts or names, and an address keeps its lines', () => {
  const answer = {
    tenants: [{ id: 'a\nTOTAL', 'tag\r': 1n, address: 'one\ntwo\u001b[2J' }],
    at: null,
  };
  expect(harmlessDocument(answer)).toEqual({
    tenants: [{ id: 'a\\u000aTOTAL', 'tag\\u000d': 1n, address: 'one\ntwo\\u001b[2J' }],
    at: null,
  });
});
