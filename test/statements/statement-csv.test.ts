import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDecimal } from '../../src/money.ts';
import { renderStatementCsv } from '../../src/statements/statement-csv.ts';
import { cases } from '../support/cases.ts';
import { everything, sampleStatement } from './sample.ts';

const USAGE = { day: '2026-10-05', model: 'gpt-4o', input: 1_000_000, output: 25_000 };

/** RFC 4180, read strictly: a quote only around a whole field, and rows that end in CRLF. */
function parseCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy,
  )) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
  }
  const [head = [], ...body] = rows;
  const whole = body.pop()?.length === 0 && body.every((row) => row.length === head.length);
  if (!whole) throw new Error(`not a table: ${JSON.stringify(text)}`);
  return body.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
}

describe('a statement as CSV', () => {
  it('has a header, one row a line, and one of the total', () => {
    const csv = renderStatementCsv([sampleStatement([USAGE])]);
    expect(csv.split('\r\n')).toHaveLength(5);
    expect(csv).toMatchInlineSnapshot(`
      "tenant_id,period_start,period_starts_at,period_ends_at,time_zone,section,model,service_tier,meter,quantity,rate,rate_unit,exact,amount,currency,manifest_hash,state,name,statement_number,issuer,customer_name,invoice_ids
      acme,2026-10-01,2026-10-01T00:00:00.000Z,2026-11-01T00:00:00.000Z,UTC,usage,gpt-4o,standard,input,1000000,3,million_tokens,3,3.00,USD,b830a77bfecc285c67ef27f4c8523292db25e9dba39e3efa0b7584af4cce3d7f,closed,,2026-10-1Z19-18RS-NPP9,Spanledger,,
      acme,2026-10-01,2026-10-01T00:00:00.000Z,2026-11-01T00:00:00.000Z,UTC,usage,gpt-4o,standard,output,25000,12,million_tokens,0.3,0.30,USD,b830a77bfecc285c67ef27f4c8523292db25e9dba39e3efa0b7584af4cce3d7f,closed,,2026-10-1Z19-18RS-NPP9,Spanledger,,
      acme,2026-10-01,2026-10-01T00:00:00.000Z,2026-11-01T00:00:00.000Z,UTC,total,,,total,,,,3.3,3.30,USD,b830a77bfecc285c67ef27f4c8523292db25e9dba39e3efa0b7584af4cce3d7f,closed,,2026-10-1Z19-18RS-NPP9,Spanledger,,
      "
    `);
  });

  it('gives back every line, and amounts that add up to the total', () => {
    const statement = everything();
    const all = parseCsv(renderStatementCsv([statement]));
    const rows = all.slice(0, -1);
    expect(all.at(-1)).toMatchObject({ section: 'total', amount: statement.total });
    const lines = [...statement.lines, ...statement.late_lines];
    expect(rows.map((row) => [row['meter'], row['exact'], row['amount']])).toEqual(
      lines.map((line) => [line.meter, line.exact, line.amount]),
    );
    const cents = rows.map((row) => parseDecimal(row['amount'] ?? '', 2) ?? 0n);
    expect(cents.reduce((a, b) => a + b, 0n)).toBe(parseDecimal(statement.total, 2));
    const carried = rows.find((row) => row['section'] === 'carried');
    expect(carried).toMatchObject({ meter: 'carried_in', exact: '-5.25', quantity: '' });
  });

  it('says that nothing was used', () => {
    const [row, ...others] = parseCsv(renderStatementCsv([sampleStatement([])]));
    expect(others).toEqual([]);
    expect(row).toMatchObject({ section: 'total', tenant_id: 'acme', amount: '0.00' });
  });

  it('keeps a negative amount a number, and no text a formula', () => {
    const statement = sampleStatement([{ ...USAGE, model: '-1+cmd|calc' }], {
      tenantId: '=HYPERLINK("a","b")',
      carriedIn: -1_000_000_000_000n,
    });
    const csv = renderStatementCsv([statement]);
    expect(csv).toContain('"\'=HYPERLINK(""a"",""b"")"');
    expect(csv).toContain(',"\'-1+cmd|calc",');
    const marked = sampleStatement([{ ...USAGE, model: '\uFEFF=1+1' }]);
    expect(renderStatementCsv([marked])).toContain(',"\'\uFEFF=1+1",');
    // In a land of decimal commas a semicolon begins the next cell.
    const divided = sampleStatement([{ ...USAGE, model: 'a;=1+1' }]);
    expect(renderStatementCsv([divided])).toContain(',"a;=1+1",');
    expect(csv).toContain(',-1,-1.00,');
  });

  it('can be read back whatever a name holds', () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary-ascii' }),
      fc
        .tuple(fc.constantFrom('=', '+', '-', '@', '\t', '\r', "'", '"', ','), fc.string())
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(name, name, (tenantId, model) => {
        const [row] = parseCsv(
          renderStatementCsv([sampleStatement([{ ...USAGE, model }], { tenantId })]),
        );
        const readBack = (column: string) => row?.[column]?.replace(/^'/, '');
        const isFormula = /^[=+\-@\t\r]/.test(row?.['model'] ?? '');
        return readBack('tenant_id') === tenantId && readBack('model') === model && !isFormula;
      }),
      cases(200),
    );
  });
});
