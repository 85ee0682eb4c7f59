import { inflateSync } from 'node:zlib';

/** The pieces of text of each page, in the order in which they were drawn, by the document's own maps to Unicode. */
export function pdfPages(pdf: Uint8Array): readonly (readonly string[])[] {
  const objects = objectsOf(Buffer.from(pdf));
  const pages = [...objects.values()].filter(({ head }) => /\/Type \/Page\b/.test(head));
  return pages.map(({ head }) => {
    const resources = objects.get(referenceOf(head, 'Resources'))?.head ?? '';
    const maps = new Map(
      [...resources.matchAll(/\/(F\d+) (\d+) 0 R/g)].map(([, name = '', id = '']) => {
        const font = objects.get(id)?.head ?? '';
        return [name, unicodeOf(objects.get(referenceOf(font, 'ToUnicode'))?.stream ?? '')];
      }),
    );
    return textsOf(objects.get(referenceOf(head, 'Contents'))?.stream ?? '', maps);
  });
}

interface PdfObject {
  readonly head: string;
  readonly stream: string;
}

function objectsOf(bytes: Buffer): ReadonlyMap<string, PdfObject> {
  const text = bytes.toString('latin1');
  const objects = new Map<string, PdfObject>();
  for (const { 1: id = '', index } of text.matchAll(/^(\d+) 0 obj$/gm)) {
    const body = text.slice(index, text.indexOf('endobj', index));
    const [head = '', ...rest] = body.split(/^stream$/m);
    const stream = rest.join('stream').slice(1);
    const isDeflated = head.includes('FlateDecode');
    objects.set(id, {
      head,
      stream: isDeflated ? inflateSync(Buffer.from(stream, 'latin1')).toString('latin1') : stream,
    });
  }
  return objects;
}

function referenceOf(head: string, name: string): string {
  return new RegExp(`/${name} (\\d+) 0 R`).exec(head)?.[1] ?? '';
}

/** Glyphs from 0 on, each with its characters: `[<0048> <00660069>]`. */
function unicodeOf(map: string): readonly string[] {
  return [...map.matchAll(/\[(.*)\]/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/<([0-9a-f ]*)>/g)].map(([, codes = '']) =>
      Buffer.from(codes.replaceAll(' ', ''), 'hex').swap16().toString('utf16le'),
    ),
  );
}

function textsOf(content: string, maps: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const texts: string[] = [];
  let map: readonly string[] = [];
  for (const [, font, array] of content.matchAll(/\/(F\d+) [\d.]+ Tf|\[(.*?)\] TJ/g)) {
    if (font !== undefined) map = maps.get(font) ?? [];
    else {
      const glyphs = [...(array ?? '').matchAll(/<([0-9a-f]*)>/g)].flatMap(
        ([, hex = '']) => hex.match(/.{4}/g) ?? [],
      );
      texts.push(glyphs.map((glyph) => map[Number.parseInt(glyph, 16)] ?? '?').join(''));
    }
  }
  return texts;
}
