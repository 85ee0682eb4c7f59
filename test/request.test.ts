import { expect, it } from 'vitest';
import { usageRequest } from '../src/reports/usage-answer.ts';
import { readRequest } from '../src/request.ts';

const NOTHING = { by: [], tenant_id: null, month: null, from: null, to: null, as_of: null };

it('days that do not begin before their end are refused, and not answered with nothing', () => {
  const asked = (from: string | null, to: string | null) =>
    readRequest(usageRequest, { ...NOTHING, from, to });
  const reversed =
    /"from" \(2026-11-02\) must be before "to" \(2026-11-0\d\); as it is, the range holds no day/;
  expect(() => asked('2026-11-02', '2026-11-01')).toThrow(reversed);
  expect(() => asked('2026-11-02', '2026-11-02')).toThrow(reversed);
  expect(asked('2026-11-01', '2026-11-02')).toMatchObject({ from: Date.UTC(2026, 10, 1) });
  expect(asked('2026-11-02', null)).toMatchObject({ to: null });
});
