import type PDFDocument from 'pdfkit';

/** What the library keeps of the font at hand: how it lays out a text that has no cache of its own. */
interface FontAtHand {
  layoutRun(text: string, features?: unknown): object;
}

/** So many texts of a few words take some megabytes; those of all statements of a month are fewer. */
const MOST = 4_000;
const LONGEST = 120;

const known = new Map<string, object>();

/**
 * Lets a document take the layout of a text from the document before it. Laying out is most of the work of a
 * page, and the statements of all tenants share nearly all of their words; what a font makes of a text is the
 * same each time, and nobody changes it.
 */
export function shareLayouts(doc: InstanceType<typeof PDFDocument>, fontName: string): void {
  const { _font: font } = doc as unknown as { readonly _font: FontAtHand };
  if (Object.hasOwn(font, 'layoutRun')) return;
  const layOut = font.layoutRun.bind(font);
  font.layoutRun = (text, features) => {
    if (text.length > LONGEST) return layOut(text, features);
    const key = `${fontName}\n${JSON.stringify(features ?? null)}\n${text}`;
    const run = known.get(key) ?? layOut(text, features);
    if (known.size >= MOST) known.clear();
    known.set(key, run);
    return run;
  };
}
