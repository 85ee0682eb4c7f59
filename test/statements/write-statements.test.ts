import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tenantFileName } from '../../src/statements/write-statements.ts';
import { cases } from '../support/cases.ts';

it('a plain tenant id is its own name', () => {
  expect(tenantFileName('acme-robotics_2')).toBe('acme-robotics_2');
  expect(tenantFileName('acme / north')).toBe('acme%20%2F%20north');
  expect(tenantFileName('a'.repeat(200))).toBe('a'.repeat(200));
});

it('no two tenants share a name, on a disk that takes capitals for small letters either', () => {
  expect(tenantFileName('Acme')).toBe('%41cme');
  expect(decodeURIComponent(tenantFileName('F%2f/A'))).toBe('F%2f/A');
  const sign = fc.constantFrom('a', 'A', 'f', 'F', '2', '%', '/', ' ', '.', 'é', 'É');
  const id = fc.array(sign, { minLength: 1, maxLength: 4 }).map((signs) => signs.join(''));
  fc.assert(
    fc.property(id, id, (one, other) => {
      const onDisk = (tenantId: string) => tenantFileName(tenantId).toLowerCase();
      expect(onDisk(one) === onDisk(other)).toBe(one === other);
    }),
    cases(500),
  );
});

it.each([
  '上海市浦东新区张江高科技园区人工智能研究院有限责任公司第二事业部',
  'Zoë',
  ' '.repeat(67),
  '🏢'.repeat(100),
  '.',
  '..',
  '...',
  `sha256-${'0'.repeat(32)}`,
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
