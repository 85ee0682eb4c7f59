import type { InstantMs } from '../clock.ts';
import type { Account } from './account.ts';
import type { DoubleClock } from './double-clock.ts';
import { finalizeInTime, finalizesAt, noteDraftDelivery } from './invoice.ts';
import { nextReportAt, reportRejections } from './meter-error-report.ts';
import type { Delivery } from './stripe-object.ts';
import { endPeriod, periodEndsAt, resumeCollection, resumesAt } from './subscription.ts';
import { deliver } from './webhook.ts';

/**
 * What happens by itself as time passes: webhook deliveries and their retries, reports of rejected
 * events, the ends of billing periods, and the finalization of drafts. One after another, each with
 * the clock standing at the instant it was due; at the same instant in the order named here.
 */
export interface LifeCycle {
  /** Does what is due by now. Returns at once when that is being done already. */
  catchUp(): Promise<void>;
  /** Does all that is due until an instant and then makes it that instant. */
  advanceTo(target: InstantMs): Promise<void>;
  /** Resolves when nothing that is due is left undone. */
  settle(): Promise<void>;
}

interface DueStep {
  readonly at: InstantMs;
  readonly run: () => Promise<void> | void;
}

export function lifeCycle(clock: DoubleClock, accounts: ReadonlyMap<string, Account>): LifeCycle {
  let running: Promise<void> | null = null;

  const runUntil = async (target: () => InstantMs): Promise<void> => {
    for (;;) {
      clock.resume();
      const step = nextStep(accounts.values());
      if (step === null || step.at > target()) return;
      clock.standAt(step.at);
      await step.run();
    }
  };
  const start = (target: () => InstantMs): Promise<void> => {
    running = runUntil(target).finally(() => {
      clock.resume();
      running = null;
    });
    return running;
  };
  const idle = async () => {
    while (running !== null) await running;
  };
  return {
    // A webhook handler calls the API while its delivery is awaited here: it must not wait for it.
    catchUp: () => (running === null ? start(clock.now) : Promise.resolve()),
    advanceTo: async (target) => {
      await idle();
      await start(() => target);
      clock.moveTo(target);
    },
    settle: async () => {
      await idle();
      await start(clock.now);
    },
  };
}

function nextStep(accounts: Iterable<Account>): DueStep | null {
  let next: DueStep | null = null;
  for (const account of accounts) {
    for (const step of dueSteps(account)) {
      if (next === null || step.at < next.at) next = step;
    }
  }
  return next;
}

function* dueSteps(account: Account): Generator<DueStep> {
  for (const delivery of account.deliveries) {
    yield { at: delivery.dueAt, run: () => makeDelivery(account, delivery) };
  }
  const reportAt = nextReportAt(account);
  if (reportAt !== null) yield { at: reportAt, run: () => reportRejections(account) };
  for (const subscription of account.subscriptions.values()) {
    const resumed = resumesAt(subscription);
    if (resumed !== null) {
      yield { at: resumed, run: () => resumeCollection(account, subscription) };
    }
    const at = periodEndsAt(subscription);
    if (at !== null) yield { at, run: () => endPeriod(account, subscription) };
  }
  for (const invoice of account.invoices.values()) {
    const at = finalizesAt(invoice);
    if (at !== null) yield { at, run: () => finalizeInTime(account, invoice) };
  }
}

async function makeDelivery(account: Account, delivery: Delivery): Promise<void> {
  account.deliveries.splice(account.deliveries.indexOf(delivery), 1);
  const delivered = await deliver(account, delivery);
  if (delivery.type !== 'invoice.created' || delivery.objectId === null) return;
  noteDraftDelivery(account, delivery.objectId, { endpointId: delivery.endpointId, delivered });
}
