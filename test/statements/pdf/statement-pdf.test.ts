import { describe, expect, it } from 'vitest';
import { renderStatementPdf } from '../../../src/statements/pdf/statement-pdf.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import { everything, HOSTILE, sampleStatement } from '../sample.ts';
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
    const latin = (text: string) => text.replace('−', '\u0096');
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
    for (const figure of [...figures, ...amounts, VIEW.due.amount])
      expect(lines).toContain(latin(figure));
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

  it('writes what its fonts do not have as code points', async () => {
    const document = sampleStatement([USAGE], { tenantId: 'Söhne 名\u202e' });
    const [lines] = pdfPages(await renderStatementPdf([viewStatement(document, 'Northwind AI')]));
    expect(lines).toContain('Söhne \\u{540d}\\u{202e}');
  });
});
