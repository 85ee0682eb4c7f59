import { inflateSync } from 'node:zlib';

/** The lines of text of each page, in the order in which they were drawn. */
export function pdfPages(pdf: Uint8Array): readonly (readonly string[])[] {
  const bytes = Buffer.from(pdf);
  const pages: string[][] = [];
  let at = bytes.indexOf('stream\n');
  while (at >= 0) {
    const end = bytes.indexOf('\nendstream', at);
    const content = inflateSync(bytes.subarray(at + 'stream\n'.length, end)).toString('latin1');
    pages.push([...content.matchAll(/\[(.*?)\] TJ/g)].map((match) => unhex(match[1] ?? '')));
    at = bytes.indexOf('stream\n', end + '\nendstream'.length);
  }
  return pages;
}

/** `[<48> 20 <69> 0]` is `Hi` with a kern between. */
function unhex(array: string): string {
  return [...array.matchAll(/<([0-9a-f]*)>/g)]
    .map((match) => Buffer.from(match[1] ?? '', 'hex').toString('latin1'))
    .join('');
}
