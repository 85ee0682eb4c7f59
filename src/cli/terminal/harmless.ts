/** What a terminal acts upon, or shows in another order than it stands. */
const CONTROLS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** What follows an escape where it sets a colour, as commands of ours do. */
const COLOUR = /^\[[\d;]*m/;

/**
 * The text with every control written out, as `\u001b`: cursor moves, titles and links that a producer or a tenant
 * wrote are never acted upon. What is left are line ends and colours.
 */
export function harmless(text: string): string {
  return text.replace(CONTROLS, (control, at: number) => {
    if (control === '\n' || (control === '\r' && text[at + 1] === '\n')) return control;
    if (control === '\u001b' && COLOUR.test(text.slice(at + 1, at + 20))) return control;
    return writtenOut(control);
  });
}

/** The same of one value within a line, which has no line ends. */
export function harmlessValue(value: string): string {
  return harmless(value).replaceAll(/[\r\n]/g, writtenOut);
}

function writtenOut(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
