import { describe, expect, it } from 'vitest';
import { renderStatementHtml } from '../../src/statements/statement-html.ts';
import { viewStatement } from '../../src/statements/statement-view.ts';
import { everything, HOSTILE, sampleStatement } from './sample.ts';

const USAGE = { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 25_000 };

function render(...documents: readonly ReturnType<typeof everything>[]): string {
  return renderStatementHtml(documents.map((document) => viewStatement(document, 'Northwind AI')));
}

/** What a reader sees: the body without tags, one line a block. */
function readable(html: string): string {
  return html
    .replace(/^[\s\S]*<body>/, '')
    .replaceAll(/<(title|desc)\b[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<\/(p|h1|h2|dd|dt|li|tr|text|summary)>/g, '\n')
    .replaceAll(/<\/t[hd]>/g, ' | ')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\n\s*/g, '\n')
    .trim();
}

describe('a statement as HTML', () => {
  it('reads like this', () => {
    const document = sampleStatement([USAGE], { failed: 47 });
    expect(readable(render(document))).toMatchInlineSnapshot();
  });

  it('takes nothing from a tenant for markup', () => {
    const html = render(everything());
    expect(html).not.toMatch(/<script/i);
    expect(html.split('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;').length).toBeGreaterThan(3);
    const tags = sampleStatement([{ ...USAGE, model: `"><img src=x onerror='a'>` }], {
      tenantId: '</title></style><b>',
      book: HOSTILE,
    });
    expect(render(tags)).not.toMatch(/<img|<b>|<script/);
    expect(render(tags).match(/<\/(title|style)>/g)?.length).toBe(
      render(sampleStatement([USAGE])).match(/<\/(title|style)>/g)?.length,
    );
  });

  it('needs no script, no style attribute and nothing from elsewhere', () => {
    const html = render(everything());
    expect(html).toContain(`content="default-src 'none'; style-src 'sha256-`);
    expect(html).not.toMatch(/\sstyle=|\son\w+=|https?:|url\(|@import|\ssrc=|\shref=/);
  });

  it('can be read without seeing it', () => {
    const html = render(everything());
    expect(html).toContain('<html lang="en">');
    expect(html).toMatch(/<title>Usage statement for /);
    expect(html).toMatch(/role="img" aria-labelledby="daily-1-title daily-1-desc"/);
    expect(html).toMatch(/the highest is 30 Oct with \$1,347\.\d\d\.<\/desc>/);
    expect(html.match(/<th(?![ea])(?! scope=)/g)).toBeNull();
  });

  it('holds several periods, each with ids of its own', () => {
    const html = render(sampleStatement([USAGE]), sampleStatement([USAGE]));
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(4);
  });

  it('says it where nothing was charged', () => {
    const html = render(sampleStatement([], { failed: 3 }));
    expect(html).toContain('No usage was charged in this period.');
    expect(html).toContain('Nothing was charged for this period.');
    expect(html).toContain('3 failed, not charged');
    expect(html).not.toContain('class="chart"');
  });
});
