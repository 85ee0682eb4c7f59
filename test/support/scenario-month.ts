import { remedyText } from '../../src/cli/terminal/commands-to-type.ts';
import { parseInstant } from '../../src/clock.ts';
import type { Database } from '../../src/database/database.ts';
import { runMonths } from '../../src/month/run-months.ts';
import type { StripeParts } from '../../src/stripe/stripe-parts.ts';
import type { StripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { startStripeDouble } from '../../src/stripe-double/stripe-double.ts';
import { addCustomers, injectFaultOf, partsOf, setUpMeters } from './scenario-push.ts';

/** The step of a scenario that runs a whole month; test/scenarios/README.md describes it. */
export interface MonthStep {
  readonly run_month: string;
  readonly stripe?: 'unavailable';
  readonly at: string;
}

/** The Stripe of those steps, which goes on from one to the next. */
export interface MonthRuns {
  take(step: MonthStep): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens nothing before the first step: few scenarios run a month. */
export function openMonthRuns(database: Database): MonthRuns {
  let opened: Opened | null = null;
  return {
    async take({ run_month: month, stripe: is = null, at }) {
      const { double, parts } = opened ?? (await open(database, at));
      opened = { double, parts };
      await double.control.setClock(parseInstant(at));
      double.control.clearFaults();
      injectFaultOf(double, is);
      const run = { ...parts, phrase: remedyText, withoutSchema: true };
      return runMonths(run, { month, folder: null, issuer: null });
    },
    async close() {
      await opened?.double.close();
    },
  };
}

interface Opened {
  readonly double: StripeDouble;
  readonly parts: StripeParts;
}

async function open(database: Database, at: string): Promise<Opened> {
  const now = parseInstant(at);
  const double = await startStripeDouble({ now, frozen: true, latencyMs: 0 });
  const parts = partsOf(database, double, false);
  await addCustomers(database, double, null);
  await setUpMeters(parts, now);
  return { double, parts };
}
