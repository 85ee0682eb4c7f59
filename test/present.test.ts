import { expect, it } from 'vitest';
import { exactDecimal, exactPico } from '../src/money.ts';
import { present } from '../src/present.ts';

it('what must be there is the value itself, nothing and zero among them', () => {
  expect(present(0n, 'an amount')).toBe(0n);
  expect(present('', 'a name')).toBe('');
});

it.each([null, undefined])('%s is thrown by name, and is never counted as nothing', (absent) => {
  expect(() => present(absent, 'the amount of a line')).toThrow(
    'the amount of a line is not there',
  );
});

it('a decimal that we wrote is read exactly, or thrown', () => {
  expect(exactPico('1.000000000001')).toBe(1_000_000_000_001n);
  expect(exactDecimal('-0.10', 2)).toBe(-10n);
  for (const text of ['', '1,0', '0.001', 'NaN']) {
    expect(() => exactDecimal(text, 2)).toThrow(`"${text}" is not a decimal`);
  }
});
