import { setTimeout } from 'node:timers/promises';
import { parseInstant } from '../../src/clock.ts';
import { closePeriods } from '../../src/ledger/closes/close-periods.ts';
import { postCorrections } from '../../src/ledger/corrections/post-corrections.ts';
import type { EntryChange } from '../../src/ledger/reversals/correction.ts';
import { Refusal } from '../../src/refusal.ts';
import { releaseInvoices } from '../../src/stripe/invoices/invoice.ts';
import { pushMonth } from '../../src/stripe/push-month.ts';
import { reconcileMonth } from '../../src/stripe/reconcile-month.ts';
import { openStripe } from '../../src/stripe/stripe-client.ts';
import { textRows } from '../support/database.ts';
import { randomFrom } from '../support/faulty-queue.ts';
import { receiveEvents } from '../support/ledger.ts';
import { ofMonth } from '../support/stripe.ts';
import type { BillingScene } from './billing-scene.ts';
import {
  ACME,
  customerOf,
  MONTH,
  openBillingScene,
  runSteps,
  startDouble,
  usage,
} from './billing-scene.ts';
import type { Watcher } from './crash-point.ts';
import { Crash, crashing } from './crash-point.ts';
import { FAULTS, wrongs } from './fault-cases.ts';
import { backUp, restore } from './restored-database.ts';

/** Plays random histories of two months, one after another on the same parts. */
export interface ScheduleBench {
  play(seed: number): Promise<ScheduleResult>;
  close(): Promise<void>;
}

interface ScheduleResult {
  /** What happened, in order, so that a failure can be read. */
  readonly story: readonly string[];
  /** What is wrong at the end; empty when the invoice is the statement and laws 5 and 6 hold. */
  readonly wrong: readonly string[];
}

/** The third one's subscription ends in mid-month, so that invoice items bill it. */
const TENANTS = [ACME, { tenantId: 'globex', calls: [777] }, { tenantId: 'leaver' }];
const NAMES = TENANTS.map(({ tenantId }) => tenantId);
/** Somebody's key of another account of the same mode, in which customers have the same names. */
const OTHER_KEY = 'sk_test_other';
const HOUR_MS = 3_600_000;
/** After a period a schedule lasts a few days, well inside what Stripe still takes. */
const STEPS = 9;
/** The second month is there for what the first leaves: late usage, corrections, negative sums. */
const STEPS_OF_SECOND = 3;
const SECOND_MONTH = '2026-11';
const MOST_RERUNS = 6;

export async function openScheduleBench(): Promise<ScheduleBench> {
  const double = await startDouble();
  let scene = await openBillingScene({ tenants: TENANTS, double });
  return {
    play: async (seed) => {
      await scene.stopWebhooks();
      scene = await openBillingScene({ tenants: TENANTS, double, after: scene });
      return playSchedule(scene, seed);
    },
    close: async () => {
      await scene.close();
      await double.close();
    },
  };
}

interface Play {
  readonly scene: BillingScene;
  readonly random: () => number;
  readonly story: string[];
  /** So that every event has an id of its own. */
  events: number;
  /** That is being closed and pushed. */
  month: string;
}

async function playSchedule(scene: BillingScene, seed: number): Promise<ScheduleResult> {
  const { control } = scene.double;
  const play: Play = { scene, random: randomFrom(seed), story: [], events: 0, month: MONTH };
  for (const name of NAMES) control.addCustomer({ id: customerOf(name) }, OTHER_KEY);
  await leave(scene);
  await control.setClock(parseInstant('2026-11-01T00:10:00Z'));
  if (chance(play, 0.3)) {
    control.setSummaryLag(pick(play, [60_000, 10 * 60_000, HOUR_MS]));
    play.story.push(`summaries lag ${control.settings().summaryLagMs} ms`);
  }
  await act(play, ACTIONS, STEPS);
  const first = await untilDone(play);
  await control.advanceClock(80 * HOUR_MS);
  await act(play, [lateUsage, correctUsage, correctUsage], 2);
  play.month = SECOND_MONTH;
  play.story.push(SECOND_MONTH);
  await control.setClock(parseInstant('2026-12-01T00:10:00Z'));
  if (chance(play, 0.15)) {
    play.story.push('  nobody looks for 40 days, after which the meter takes nothing any more');
    await control.advanceClock(40 * 24 * HOUR_MS);
  }
  await act(play, ACTIONS, STEPS_OF_SECOND);
  const second = await untilDone(play);
  await control.advanceClock(80 * HOUR_MS);
  play.story.push(await sumsOf(scene));
  const wrong = await wrongs(scene, [...first, ...second], [MONTH, SECOND_MONTH]);
  return { story: play.story, wrong: [...wrong, ...(await toldElsewhere(scene))] };
}

async function leave({ double, parts }: BillingScene): Promise<void> {
  await double.control.setClock(parseInstant('2026-10-20T00:00:00Z'));
  const { data } = await parts.stripe.subscriptions.list({ customer: customerOf('leaver') });
  for (const { id } of data) await parts.stripe.subscriptions.cancel(id);
}

/** What the other account was told, which is nothing. */
async function toldElsewhere(scene: BillingScene): Promise<readonly string[]> {
  const events = scene.double.control.meterEvents().filter(({ apiKey }) => apiKey === OTHER_KEY);
  const { stripe } = ofOtherAccount(scene);
  const items = (await stripe.invoiceItems.list({ limit: 100 })).data;
  return [...events, ...items].map((told) => `the other account was told ${JSON.stringify(told)}`);
}

function ofOtherAccount({ parts, double }: BillingScene): BillingScene['parts'] {
  return { ...parts, stripe: openStripe({ apiKey: OTHER_KEY, apiBase: double.url }) };
}

async function act(play: Play, actions: readonly Action[], steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    const action = pick(play, actions);
    play.story.push(action.name);
    await action(play);
  }
}

/** Runs the month on undisturbed parts until it is done; a day's absence takes two runs to prove. */
async function untilDone({ scene, month }: Play) {
  scene.double.control.clearFaults();
  let results = await runSteps(scene.parts, month);
  for (let run = 1; run < MOST_RERUNS; run += 1) {
    if (results.every((result) => result.state === 'done')) break;
    await scene.double.control.advanceClock(25 * HOUR_MS);
    results = await runSteps(scene.parts, month);
  }
  return results;
}

/** What each period came to, as the story's last line; a negative sum is carried and bills nothing. */
async function sumsOf({ database }: BillingScene): Promise<string> {
  const rows = await textRows(
    database,
    `select tenant_id || ' ' || period_start || ' exact ' || charge_exact || ' p, billable '
       || billable_micro || ' µ' as sum from closes where tenant_id <> 'unattributed'
     order by tenant_id, period_start`,
  );
  return rows.map((row) => row['sum']).join('; ');
}

async function lateUsage(play: Play): Promise<void> {
  const { scene, random } = play;
  play.events += 1;
  const tokens = 1 + Math.floor(random() * 3_000_000);
  const tenantId = pick(play, NAMES);
  const event = usage(tenantId, { tokens, index: 1_000 + play.events });
  await receiveEvents(scene.database, [event], new Date(scene.parts.clock()).toISOString());
}

/** Takes back or changes something that was posted, often more than the open period holds. */
async function correctUsage(play: Play): Promise<void> {
  const { database } = play.scene;
  const { rows } = await database.pool.query<{ entry_id: string }>(
    `select entry_id::text from entries where tenant_id = $1 and outcome = 'charged' and charge > 0
     order by entry_id`,
    [pick(play, NAMES)],
  );
  const entryId = BigInt(pick(play, rows).entry_id);
  const change = pick(play, CHANGES);
  play.story.push(`  entry ${entryId} ${change === null ? 'void' : JSON.stringify(change)}`);
  const request = { entryId, change, note: { reason: 'a mistake', actor: 'schedule' } };
  await maybeDying(play, (parts) => postCorrections(parts.database, parts.clock, [request]));
}

const CHANGES: readonly (EntryChange | null)[] = [
  null,
  null,
  { outputTokens: 1 },
  { uncachedInputTokens: 5_000_000 },
  { requestedModel: 'gpt-4o-mini' },
];

async function advance(play: Play): Promise<void> {
  const hours = pick(play, [0.1, 0.5, 2, 9, 23, 25]);
  play.story.push(`  ${hours} h`);
  await play.scene.double.control.advanceClock(hours * HOUR_MS);
}

async function fail(play: Play): Promise<void> {
  const fault = pick(play, FAULTS);
  const times = pick(play, [fault.times ?? 1, fault.times ?? 1, 8]);
  const after = Math.floor(play.random() * 6);
  play.story.push(`  ${JSON.stringify({ ...fault, times, after })}`);
  play.scene.double.control.injectFault({ ...fault, times, after });
}

async function run(play: Play): Promise<void> {
  await maybeDying(play, (parts) => runSteps(parts, play.month));
}

async function close(play: Play): Promise<void> {
  await maybeDying(play, (parts) => closePeriods(parts, { month: play.month, tenant_id: null }));
}

async function push(play: Play): Promise<void> {
  await maybeDying(play, (parts) => pushMonth(parts, ofMonth(play.month)));
}

async function reconcile(play: Play): Promise<void> {
  await maybeDying(play, (parts) => reconcileMonth(parts, ofMonth(play.month)));
}

async function twoPushers(play: Play): Promise<void> {
  const both = [push(play), push(play)];
  await Promise.all(both);
}

/** What was done since the backup is on no record any more, and usage that came since would be of no ledger. */
async function restoredDatabase(play: Play): Promise<void> {
  const { database, parts } = play.scene;
  await backUp(database);
  await act(play, WITHOUT_USAGE, 1 + Math.floor(play.random() * 4));
  const wasClosed = await isClosed(play);
  await restore(database);
  play.story.push(`  restored, ${wasClosed ? 'closed again' : 'not closed yet'}`);
  if (wasClosed) await closePeriods(parts, { month: play.month, tenant_id: null });
}

async function isClosed({ scene, month }: Play): Promise<boolean> {
  const rows = await textRows(
    scene.database,
    `select 1 as one from closes where to_char(period_start, 'YYYY-MM') = '${month}'`,
  );
  return rows.length > 0;
}

/** The process stands still at one await for longer than Stripe remembers; another one may push meanwhile. */
async function suspended(play: Play): Promise<void> {
  const { scene, month } = play;
  const { control } = scene.double;
  const at = 1 + Math.floor(play.random() * 120);
  const hours = pick(play, [22, 23.5, 26, 30]);
  const isAlone = chance(play, 0.5);
  play.story.push(`  for ${hours} h at await ${at}${isAlone ? '' : ', while another one pushes'}`);
  let other: Promise<unknown> = Promise.resolve();
  const watcher: Watcher = async (place) => {
    if (place.at !== at || place.when !== 'before') return;
    await control.advanceClock(hours * HOUR_MS);
    if (isAlone) return;
    other = pushMonth(scene.parts, ofMonth(month)).catch(unlessRefused);
    // It may wait for what the suspended one has locked.
    await Promise.race([other, setTimeout(200)]);
  };
  const { parts } = crashing(scene.parts, scene.double, watcher);
  const work = pick(play, [pushMonth, reconcileMonth]);
  await work(parts, ofMonth(month)).catch(unlessRefused);
  await other;
}

function unlessRefused(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
}

async function otherAccount(play: Play): Promise<void> {
  const parts = ofOtherAccount(play.scene);
  const { month } = play;
  const work = pick(play, [
    () => runSteps(parts, month),
    () => pushMonth(parts, ofMonth(month)),
    () => reconcileMonth(parts, ofMonth(month)),
    () => releaseInvoices(parts, { month }),
  ]);
  await work().catch(unlessRefused);
}

type Action = (play: Play) => Promise<void>;

const WITHOUT_USAGE: readonly Action[] = [
  advance,
  advance,
  fail,
  fail,
  run,
  close,
  push,
  reconcile,
  twoPushers,
  suspended,
  otherAccount,
];

const ACTIONS: readonly Action[] = [
  lateUsage,
  correctUsage,
  correctUsage,
  ...WITHOUT_USAGE,
  restoredDatabase,
];

/** Half of the time the process dies on the way; what stands in the way is part of the history. */
async function maybeDying(
  play: Play,
  work: (parts: BillingScene['parts']) => Promise<unknown>,
): Promise<void> {
  const { scene } = play;
  const plan = chance(play, 0.5)
    ? {
        at: 1 + Math.floor(play.random() * 60),
        when: pick(play, ['before', 'after'] as const),
      }
    : null;
  play.story.push(plan === null ? '  lives' : `  dies ${plan.when} await ${plan.at}`);
  try {
    await work(crashing(scene.parts, scene.double, plan).parts);
  } catch (error) {
    if (!(error instanceof Crash) && !(error instanceof Refusal)) throw error;
    play.story.push(`  ${error.message}`);
  }
}

function chance({ random }: Play, probability: number): boolean {
  return random() < probability;
}

function pick<Item>({ random }: Play, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
