import { describe, expect, it } from 'vitest';
import { configuredAnchor, nextBoundary } from '../../src/stripe-double/billing-period.ts';
import {
  addDecimals,
  readDecimal,
  significantDigits,
  writeDecimal,
} from '../../src/stripe-double/exact-decimal.ts';
import { readForm } from '../../src/stripe-double/form-body.ts';
import { unix } from './scene.ts';

describe('a form body', () => {
  it.each([
    ['a=1&b=two+words', { a: '1', b: 'two words' }],
    ['a[b][c]=1&a[b][d]=2', { a: { b: { c: '1', d: '2' } } }],
    ['a[0][b]=1&a[1][b]=2', { a: { 0: { b: '1' }, 1: { b: '2' } } }],
    ['a[]=1&a[]=2', { a: { 0: '1', 1: '2' } }],
    ['a%5Bb%5D=1%2B1', { a: { b: '1+1' } }],
    ['', {}],
  ])('%j is read as %j', (text, params) => {
    expect(readForm(text)).toEqual(params);
  });

  it('cannot reach the prototype', () => {
    readForm('__proto__[polluted]=1&constructor[prototype][polluted]=1');
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('an exact decimal', () => {
  it.each([
    ['0.10', '0.1'],
    ['-0.0', '0'],
    ['-12.50', '-12.5'],
    ['007', '7'],
    ['123456789012345678901234567890.5', '123456789012345678901234567890.5'],
  ])('%s is written as %s', (text, written) => {
    const value = readDecimal(text);
    expect(value === null ? null : writeDecimal(value)).toBe(written);
  });

  it.each(['', '1e3', '.5', '5.', '1,000', 'NaN', ' 1'])('%j is none', (text) => {
    expect(readDecimal(text)).toBeNull();
  });

  it('adds up to what was added', () => {
    const [left, right] = [readDecimal('0.1'), readDecimal('0.25')];
    expect(left && right && writeDecimal(addDecimals(left, right))).toBe('0.35');
  });

  it.each([
    ['0.0120', 2],
    ['1200', 2],
    ['-12.034', 5],
  ])('%s has %i significant digits', (text, count) => {
    const value = readDecimal(text);
    expect(value && significantDigits(value)).toBe(count);
  });
});

describe('a billing boundary', () => {
  it('by the week keeps its weekday', () => {
    const anchor = {
      at: unix('2026-10-15T06:00:00Z'),
      dayOfMonth: 15,
      interval: 'week',
      intervalCount: 1,
    } as const;
    expect(nextBoundary(anchor, unix('2026-10-16T00:00:00Z'))).toBe(unix('2026-10-22T06:00:00Z'));
  });

  it('by the quarter keeps its months, also before the anchor', () => {
    const anchor = {
      at: unix('2026-10-31T00:00:00Z'),
      dayOfMonth: 31,
      interval: 'month',
      intervalCount: 3,
    } as const;
    expect(nextBoundary(anchor, unix('2026-05-01T00:00:00Z'))).toBe(unix('2026-07-31T00:00:00Z'));
    expect(nextBoundary(anchor, unix('2026-10-31T00:00:00Z'))).toBe(unix('2027-01-31T00:00:00Z'));
  });

  it('of a configured day that has passed is in the next month', () => {
    const config = { day_of_month: 1, hour: 0, minute: 0, second: 0 };
    expect(configuredAnchor(config, unix('2026-12-15T00:00:00Z'))).toBe(
      unix('2027-01-01T00:00:00Z'),
    );
  });

  it('of a configured month that has passed is in the next year', () => {
    const config = { day_of_month: 1, hour: 0, minute: 0, second: 0, month: 3 };
    expect(configuredAnchor(config, unix('2026-12-15T00:00:00Z'))).toBe(
      unix('2027-03-01T00:00:00Z'),
    );
  });
});
