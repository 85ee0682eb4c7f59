import type { Command } from 'commander';
import { addAlerts } from './stripe-alerts.ts';
import { addRelease } from './stripe-release.ts';
import { addResolve } from './stripe-resolve.ts';
import { addSettled } from './stripe-settled.ts';
import { addSetUp } from './stripe-setup.ts';
import { addUnpark } from './stripe-unpark.ts';
import { addUnsettle } from './stripe-unsettle.ts';

export function addStripe(program: Command): void {
  const group = program.command('stripe').description("Stripe's side of billing");
  addSetUp(group);
  addRelease(group);
  addUnpark(group);
  addSettled(group);
  addUnsettle(group);
  addAlerts(group);
  addResolve(group);
}
