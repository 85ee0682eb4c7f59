import { describe, expect, it } from 'vitest';
import { renderStatementHtml } from '../../../src/statements/html/statement-html.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import { everything, HOSTILE, sampleStatement } from '../sample.ts';

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
    const document = sampleStatement([USAGE], {
      failed: 47,
      startsAt: Date.UTC(2026, 9, 4),
      endsAt: Date.UTC(2026, 9, 7),
    });
    expect(readable(render(document))).toMatchInlineSnapshot(`
      "Northwind AI
      Usage statement
      2026-10-1Z19-18RS-NPP9
      Not a tax invoice
      acme
      4 – 6 October 2026 (UTC)
      From 2026-10-04 00:00 +00:00 until 2026-10-07 00:00 +00:00. All amounts in USD.
      Total due
      $3.30
      Usage
      48 calls
      1,000,000 input tokens
      25,000 output tokens
      47 failed, not charged
      Price book
      standard
      version 2026-01-01
      Issued
      2 November 2026
      sha256:2667…a336
      Daily usage by model
      gpt-4o
      $0
      $1
      $2
      $3
      $4
      4 Oct
      5
      6
      $0
      $1
      $2
      $3
      $4
      4 Oct
      5
      6
      By day, UTC.
      The exact figures behind the bars
      Day | gpt-4o | All | 
      2026-10-04 | 0.00 | 0.00 | 
      2026-10-05 | 3.30 | 3.30 | 
      2026-10-06 | 0.00 | 0.00 | 
      Sum | 3.30 | 3.30 | 
      Usage by model
      Model | Meter | Quantity | USD per 1M | Exact | Amount | 
      gpt-4o$3.30 together | Input tokens | 1,000,000 | × 3.00 / 1M | = 3.00 | $3.00 | 
      Output tokens | 25,000 | × 12.00 / 1M | = 0.30 | $0.30 | 
      TotalMetered usage | $3.30 | 
      Total (USD) | $3.30 | 
      Notes
      Quantity × rate = exact. Amounts are rounded so that they add up to the total.
      What is left below a millionth is not lost: it is carried on to the next period.
      47 calls failed, and are not charged.
      Price book standard of 2026-01-01: cached input is charged at the input rate (work done).
      Amounts are exact sums of ledger entries; the billable amount rounded once, half up, to 2 decimals.
      This is a usage statement, not a tax invoice.
      From the exact sum to the total
      Exact sum of all entries | 3.30 | 
      Carried in from the period before | 0.00 | 
      Carried on to the next period | 0.00 | 
      Billable, in whole millionths | 3.300000 | 
      Total, rounded once, half up, to 2 decimals | 3.30 | 
      Words
      Token
      a piece of text, about three quarters of an English word
      Manifest
      the record that was frozen at the close; its sha256 is a fingerprint that shows any change
      Manifest sha256:2667ec9a490a07787f8e0638ae84c4e68ebfca9e525b9c9c6caebf3c6269a336, closed 2026-11-02 03:04 +00:00"
    `);
  });

  it('takes nothing from a tenant for markup', () => {
    const html = render(everything());
    expect(html).not.toMatch(/<script/i);
    expect(html.split('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;').length).toBeGreaterThan(
      3,
    );
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
    expect(html).toMatch(/<title>Usage statement of \d{4}-\d\d for /);
    expect(html).toMatch(/role="img" aria-labelledby="daily-1-title daily-1-desc"/);
    expect(html).toMatch(/the highest is 30 Oct with \$1,349\.32\.<\/desc>/);
    expect(html.match(/<th(?![ea])(?! scope=)/g)).toBeNull();
  });

  it('holds several periods, each with ids of its own', () => {
    const html = render(sampleStatement([USAGE]), sampleStatement([USAGE]));
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(8);
  });

  it('says it where nothing was charged', () => {
    const html = render(sampleStatement([], { failed: 3 }));
    expect(html).toContain('No usage was charged in this period.');
    expect(html).toContain('Nothing was charged for this period.');
    expect(html).toContain('3 failed, not charged');
    expect(html).not.toContain('class="chart"');
  });
});
