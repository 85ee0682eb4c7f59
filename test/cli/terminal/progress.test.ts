import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { openProgress } from '../../../src/cli/terminal/progress.ts';
import type { TextStream } from '../../../src/cli/terminal/terminal.ts';

function stream(isTTY: boolean): { readonly stderr: TextStream; readonly written: string[] } {
  const written: string[] = [];
  const write = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk).replace('\r\u001b[K', ''));
      done();
    },
  });
  return { stderr: Object.assign(write, { isTTY }), written };
}

test('a bar is shown after two seconds, with an estimate from how fast it went so far', () => {
  const { stderr, written } = stream(true);
  let now = 0;
  const progress = openProgress(stderr, () => now);
  progress.show('pushing', 0, 1000);
  now = 1_000;
  progress.show('pushing', 100, 1000);
  expect(written).toEqual([]);
  now = 3_000;
  progress.show('pushing', 300, 1000);
  now = 4_000;
  progress.show('pushing', 1000, 1000);
  progress.end();
  expect(written).toEqual([
    'pushing ███████░░░░░░░░░░░░░░░░░ 300 of 1,000, about 7 s left',
    'pushing ████████████████████████ 1,000 of 1,000',
    '',
  ]);
});

test('where stderr is no terminal nothing is shown', () => {
  const { stderr, written } = stream(false);
  let now = 0;
  const progress = openProgress(stderr, () => now);
  now = 60_000;
  progress.show('pushing', 1, 2);
  progress.end();
  expect(written).toEqual([]);
});
