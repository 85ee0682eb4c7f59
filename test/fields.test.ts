import { describe, expect, it } from 'vitest';
import { monthField } from '../src/fields.ts';
import { periodsBeginningIn } from '../src/periods/calendar.ts';

describe('a month', () => {
  it.each(['1970-01', '2026-10', '8999-12'])(
    'is one like %s, of which calendars know the periods',
    (month) => {
      expect(monthField.parse(month)).toBe(month);
      for (const timeZone of ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
        const calendar = [{ effectiveFrom: null, timeZone, anchorDay: 1 }];
        expect(periodsBeginningIn(calendar, month)).toHaveLength(1);
      }
    },
  );

  it.each([
    '0000-01',
    '0026-10',
    '1969-12',
    '9999-12',
    '2026-13',
    '2026-00',
    '2026-1',
    '2026-10-01',
    'October',
  ])('is none like %s', (month) => {
    expect(monthField.safeParse(month).success).toBe(false);
  });
});
