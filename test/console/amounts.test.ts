import { expect, it } from 'vitest';
import { percentText } from '../../src/console/view/amounts.ts';

it('a share is written with its thousands apart', () => {
  expect(['31785.04', '-1234.50', '62.04', '-0.50'].map(percentText)).toEqual([
    ...['31,785.0 %', '−1,234.5 %', '62.0 %', '−0.5 %'],
  ]);
});
