import { expect, it } from 'vitest';
import { reserveRequest } from '../../src/budgets/hold-answer.ts';
import { id } from '../../src/events/schema-parts.ts';

it('what a reservation takes as the id of a hold, an event may name', () => {
  const { hold_id } = reserveRequest.shape;
  for (const length of [0, 1, 200, 201, 256]) {
    const text = 'h'.repeat(length);
    expect(hold_id.safeParse(text).success, `${length}`).toBe(id.safeParse(text).success);
  }
});
