/** What a page shows, as programs read it: exact amounts stand in `value`. */

interface Row {
  readonly [title: string]: string;
}

/** The rows of a table by the titles of its columns: what stands for programs in a cell, or else its text. */
export function rowsOf(text: string, caption: string): readonly Row[] {
  const [, table = ''] = text.split(`<caption>${caption}</caption>`);
  const [head = '', body = ''] = table.split('</table>')[0]?.split('<tbody>') ?? [];
  const titles = [...head.matchAll(/<th[^>]*>(.*?)<\/th>/gs)].map(([, title]) => plain(title));
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) => {
    const cells = [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => plain(cell));
    return Object.fromEntries(titles.map((title, place) => [title, cells[place] ?? '']));
  });
}

function plain(cell = ''): string {
  const exact = /<data[^>]* value="([^"]*)"/.exec(cell)?.[1];
  return exact ?? wordsOf(cell);
}

/** The exact amount on a card. */
export function cardOf(text: string, title: string): string | undefined {
  const [, card = ''] = text.split(`<h2>${title}</h2>`);
  return /<data[^>]* value="([^"]*)"/.exec(card)?.[1];
}

/** The words of a page, or of a part of it, without what marks them up. */
export function wordsOf(text: string): string {
  return text
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
