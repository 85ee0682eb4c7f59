import { expect, it } from 'vitest';
import { RememberedPolicies } from '../../../src/client/guard/remembered-policies.ts';

const asked = (run: string | null, change: object = {}) => ({
  ...{ tenant_id: 'acme', hold_id: 'h', feature: null, user_id: null, tags: null },
  agent_run_id: run,
  ...change,
});

it('a run is told what its own budgets said, whatever those of another run said since', () => {
  const policies = new RememberedPolicies();
  policies.remember(asked('r1'), 'deny');
  policies.remember(asked('r2'), 'allow');
  expect(policies.of(asked('r1'))).toBe('deny');
  expect(policies.of(asked('r2'))).toBe('allow');
});

it('a run that was never heard of is told what was said last, and of nobody else', () => {
  const policies = new RememberedPolicies();
  policies.remember(asked('r1'), 'allow');
  expect(policies.of(asked('r3'))).toBe('allow');
  expect(policies.of(asked(null))).toBe('allow');
  expect(policies.of(asked('r1', { user_id: 'ann' }))).toBeUndefined();
});
