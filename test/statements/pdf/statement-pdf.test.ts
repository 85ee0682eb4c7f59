import { describe, expect, it } from 'vitest';
import { NOT_SHOWN } from '../../../src/statements/pdf/pdf-fonts.ts';
import { renderStatementPdf } from '../../../src/statements/pdf/statement-pdf.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import { everything, HOSTILE, sampleStatement } from '../sample.ts';
import { VARIETY } from '../variety.ts';
import { pdfPages } from './pdf-text.ts';

const USAGE = { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 25_000 };

const VIEW = viewStatement(everything(), 'Northwind AI');

describe('a statement as PDF', () => {
  it('has the same bytes each time, and the date of its close', async () => {
    const first = Buffer.from(await renderStatementPdf([VIEW]));
    const second = Buffer.from(await renderStatementPdf([VIEW]));
    expect(first.equals(second)).toBe(true);
    expect(first.toString('latin1')).toContain('(D:20261102030405Z)');
  });

  it('repeats the header of a table on every page that goes on with it, and counts its pages', async () => {
    const pages = pdfPages(await renderStatementPdf([VIEW]));
    expect(pages).toHaveLength(2);
    for (const [index, lines] of pages.entries()) {
      expect(lines).toContain('MODEL');
      expect(lines).toContain('USD PER 1M');
      expect(lines).toContain(`Page ${index + 1} of 2`);
    }
  });

  it('shows every figure that the page shows', async () => {
    const lines = new Set(pdfPages(await renderStatementPdf([VIEW])).flat());
    const figures = VIEW.sections.flatMap((section) =>
      section.groups.flatMap((group) =>
        group.lines.flatMap((line) => [
          line.quantity,
          line.rate.text,
          line.exact.text,
          line.amount,
        ]),
      ),
    );
    const amounts = [...VIEW.totals, ...VIEW.reckoning].map((row) => row.amount);
    for (const figure of [...figures, ...amounts, VIEW.due.amount]) expect(lines).toContain(figure);
    expect(lines).toContain(HOSTILE);
    expect(lines).toContain('Not a tax invoice');
  });

  it('takes one page for a usual month', async () => {
    const usages = ['a', 'b', 'c', 'd', 'e', 'f'].map((model) => ({ ...USAGE, model, cached: 9 }));
    const view = viewStatement(sampleStatement(usages, { failed: 47 }), 'Northwind AI');
    const pages = pdfPages(await renderStatementPdf([view]));
    expect(pages).toHaveLength(1);
    expect(pages[0]).toContain('Page 1 of 1');
  });

  it.each([
    'Ελληνική Εταιρεία',
    'ООО «Ромашка»',
    'Công ty Cổ phần Việt Nam',
    'Zażółć gęślą jaźń – Łódź',
  ])('writes "%s" with its own fonts', async (tenantId) => {
    expect(await titleOf(tenantId)).toBe(tenantId);
  });

  it('says once that no font has some characters, and never shows their codes', async () => {
    const document = sampleStatement([USAGE], { tenantId: 'Söhne 名古屋 & 大阪\u202e' });
    const pdf = await renderStatementPdf([viewStatement(document, 'Northwind AI')], NO_FONTS);
    const lines = pdfPages(pdf).flat();
    expect(lines.filter((line) => line === NOT_SHOWN)).toHaveLength(2);
    expect(lines.join('\n')).not.toMatch(/u\{|\?/);
    expect(lines.some((line) => line.startsWith('No font here has some'))).toBe(true);
  });

  it('is tagged, with a language and a title that no name can break', async () => {
    const pdf = Buffer.from(await renderStatementPdf([VIEW])).toString('latin1');
    expect(pdf).toMatch(/\/Marked true/);
    expect(pdf).toMatch(/\/Lang \(en\)/);
    expect(pdf).toMatch(/\/S \/Figure\n\/Alt \(Stacked bars/);
    for (const tag of ['Document', 'H1', 'Table', 'TH', 'TD'])
      expect(pdf).toContain(`/S /${tag}\n`);
    expect(pdf).toContain(`Usage statement ${VIEW.number}</rdf:li>`);
    expect(pdf).not.toContain('<script>');
  });

  it.each(Object.entries(VARIETY))('has no page of notes alone: %s', async (name, document) => {
    if (name === 'many models') return;
    const pages = pdfPages(await renderStatementPdf([viewStatement(document, 'Us')], NO_FONTS));
    expect(pages.at(-1)?.some((line) => /^Total( so far)? \(|^Total$/.test(line))).toBe(true);
  });
});

/** A folder without fonts, so that those of the system decide nothing here. */
const NO_FONTS = ['test/statements/pdf'];

/** The customer's name as the first page has it. */
async function titleOf(tenantId: string): Promise<string> {
  const document = sampleStatement([USAGE], { tenantId });
  const view = viewStatement(document, 'Northwind AI');
  const [lines = []] = pdfPages(await renderStatementPdf([view], NO_FONTS));
  const from = lines.indexOf('Not a tax invoice') + 1;
  return lines.slice(from, lines.indexOf(view.period)).join('');
}
