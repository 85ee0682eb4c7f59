import { expect, it } from 'vitest';
import { tenantFileName } from '../../src/statements/write-statements.ts';

it('a plain tenant id is its own name', () => {
  expect(tenantFileName('acme-robotics_2')).toBe('acme-robotics_2');
  expect(tenantFileName('acme / north')).toBe('acme%20%2F%20north');
  expect(tenantFileName('a'.repeat(200))).toBe('a'.repeat(200));
});

it.each([
  '上海市浦东新区张江高科技园区人工智能研究院有限责任公司第二事业部',
  'Zoë',
  ' '.repeat(67),
  '🏢'.repeat(100),
  '.',
  '..',
  '...',
])('the id "%s" is named by its digest', (tenantId) => {
  expect(tenantFileName(tenantId)).toMatch(/^sha256-[0-9a-f]{32}$/);
  expect(tenantFileName(tenantId)).not.toBe(tenantFileName(`${tenantId}!`));
});

it('no name of a statement is longer than a file system takes', () => {
  const units = ['a', ' ', 'é', '社', '\u{1F3E2}'];
  for (const unit of units) {
    for (let length = 1; length <= 200; length += 1) {
      const name = `${tenantFileName(unit.repeat(length))}-2026-10-01.json`;
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    }
  }
});
