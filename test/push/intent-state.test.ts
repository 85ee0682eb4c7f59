import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { TellAnswer } from '../../src/push/destination.ts';
import type { PushEvent, PushState } from '../../src/push/intent-state.ts';
import { decideByCount, nextStep, stateAfter } from '../../src/push/intent-state.ts';
import {
  insertIntent,
  markAttempt,
  markState,
  placeIntent,
  readIntentsByIdentifier,
} from '../../src/push/intent-store.ts';
import { METER_MEMORY } from '../../src/stripe/meters/meter-destination.ts';
import { openPushScene } from '../support/stripe.ts';

const FIRST = Date.parse('2026-11-01T00:00:00Z');
const HOUR = 60 * 60 * 1000;

const answered = (answer: TellAnswer) => stateAfter(answer.kind);

/** An intent of 100 beside 40 confirmed; what is confirmed was seen in a count, or not. */
const shown = (counted: bigint, { hours = 0, proven: isConfirmedProven = true } = {}) => {
  const figures = { counted, confirmed: 40n, value: 100n, isConfirmedProven };
  return decideByCount({ ...figures, absentForMs: hours * HOUR }, METER_MEMORY);
};

interface Row {
  readonly event: PushEvent;
  readonly from: PushState;
  /** What the event comes to, once for each way in which it can happen; null leaves the state. */
  readonly decided: readonly (PushState | null)[];
  readonly becomes: PushState;
  /** What the next run does with it: a minute later, and 23 hours after the first request. */
  readonly then: readonly [string, string];
}

const row = (
  ...[event, from, becomes, then, decided]: readonly [
    PushEvent,
    PushState,
    PushState,
    Row['then'],
    Row['decided'],
  ]
): Row => ({ event, from, becomes, then, decided });

const RESENT: Row['then'] = ['send', 'compare'];
const COMPARED: Row['then'] = ['compare', 'compare'];
const SETTLED: Row['then'] = ['none', 'none'];

/** The table of intent-state.ts, row by row. */
const ROWS: readonly Row[] = [
  row('address', 'pending', 'pending', ['send', 'send'], ['pending']),
  row('attempt', 'pending', 'sent', RESENT, ['sent']),
  row('attempt', 'sent', 'sent', RESENT, ['sent']),
  row('answer', 'sent', 'confirmed', SETTLED, [
    answered({ kind: 'delivered', how: 'accepted (200)' }),
    answered({ kind: 'delivered', how: 'already there (400)' }),
  ]),
  row('answer', 'sent', 'sent', RESENT, [
    answered({ kind: 'unknown', detail: 'reset', retryAfterMs: null }),
    answered({ kind: 'unknown', detail: '429', retryAfterMs: 2_000 }),
  ]),
  // What fails for every tenant says nothing about this one.
  row('answer', 'sent', 'sent', RESENT, [
    answered({ kind: 'systemic', detail: '401' }),
    answered({ kind: 'replayed', detail: '400' }),
  ]),
  row('answer', 'sent', 'sent', RESENT, [answered({ kind: 'early', detail: '400' })]),
  row('answer', 'sent', 'parked', SETTLED, [answered({ kind: 'refused', detail: '400' })]),
  row('count', 'pending', 'confirmed', SETTLED, [shown(140n)]),
  row('count', 'sent', 'confirmed', SETTLED, [shown(140n), shown(140n, { proven: false })]),
  row('count', 'sent', 'ambiguous', COMPARED, [shown(40n)]),
  row(
    'count',
    'sent',
    'parked',
    SETTLED,
    [0n, 39n, 100n, 139n, 141n, 240n].map((sum) => shown(sum)),
  ),
  row('count', 'sent', 'sent', RESENT, [
    shown(0n, { proven: false }),
    shown(39n, { proven: false }),
  ]),
  row('count', 'ambiguous', 'confirmed', SETTLED, [shown(140n, { hours: 100 })]),
  row('count', 'ambiguous', 'ambiguous', COMPARED, [shown(40n, { hours: 23.999 })]),
  row('count', 'ambiguous', 'missing', SETTLED, [shown(40n, { hours: 24 })]),
  row('count', 'ambiguous', 'parked', SETTLED, [
    shown(39n, { hours: 24 }),
    shown(41n, { hours: 24, proven: false }),
  ]),
  row('count', 'ambiguous', 'ambiguous', COMPARED, [shown(39n, { hours: 24, proven: false })]),
  row('report', 'pending', 'parked', SETTLED, ['parked']),
  row('report', 'sent', 'parked', SETTLED, ['parked']),
  row('report', 'ambiguous', 'parked', SETTLED, ['parked']),
  row('report', 'confirmed', 'parked', SETTLED, ['parked']),
  row('person', 'pending', 'missing', SETTLED, ['missing']),
  row('person', 'confirmed', 'missing', SETTLED, ['missing']),
  row('person', 'parked', 'confirmed', SETTLED, ['confirmed']),
  row('person', 'parked', 'missing', SETTLED, ['missing']),
];

const EVENTS: readonly PushEvent[] = ['address', 'attempt', 'answer', 'count', 'report', 'person'];
const STATES: readonly PushState[] = [
  'pending',
  'sent',
  'confirmed',
  'ambiguous',
  'parked',
  'missing',
];

let database: Database;
let made = 0;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  ({ database } = await openPushScene(['acme'], {}, (close) => closers.push(close)));
});
afterAll(() => Promise.all(closers.map((close) => close())));

/** An intent in a state, as the store has it; each of a customer of its own. */
async function intentIn(state: PushState): Promise<string> {
  made += 1;
  const identifier = `spl-acme-${made}`;
  const period = { tenantId: 'acme', periodStart: '2026-10-01' };
  const where = {
    destination: 'meter',
    channel: 'spanledger_usage_usd',
    customer: `cus_${made}`,
  } as const;
  const body = { ...where, livemode: false, account: null };
  const told = { sequence: made, identifier, valueMicro: 100n, eventTimestamp: 1_793_491_199 };
  await insertIntent(database, { ...period, ...body, ...told }, FIRST);
  if (state === 'pending') return identifier;
  await database.pool.query(
    'update push_intents set state = $2, attempts = 1, first_attempt_at = $3 where identifier = $1',
    [identifier, state, new Date(FIRST).toISOString()],
  );
  return identifier;
}

const ELSEWHERE = {
  destination: 'invoice_item',
  channel: 'elsewhere',
  customer: 'cus_elsewhere',
  livemode: false,
  account: 'acct_elsewhere',
} as const;

async function happen(event: PushEvent, identifier: string, state: PushState): Promise<boolean> {
  if (event === 'address') return placeIntent(database, identifier, ELSEWHERE);
  const { resendWithinMs } = METER_MEMORY;
  return event === 'attempt'
    ? markAttempt(database, await read(identifier), { at: FIRST, resendWithinMs })
    : markState(database, identifier, { event, state, answer: event, at: FIRST });
}

async function read(identifier: string) {
  const [intent] = await readIntentsByIdentifier(database, [identifier]);
  if (intent === undefined) throw new Error(`no intent ${identifier}`);
  return intent;
}

describe('an intent', () => {
  it('has the states and changes that the table in intent-state.ts shows', () => {
    const source = readFileSync(new URL('../../src/push/intent-state.ts', import.meta.url), 'utf8');
    const table = [...source.matchAll(/^ \* \|(.*)\|$/gm)]
      .map(([, cells = '']) => cells.split('|').map((cell) => cell.trim()))
      .slice(2);
    expect(table.map(([event, from, , becomes]) => `${event}: ${from} → ${becomes}`)).toEqual(
      ROWS.map(({ event, from, becomes }) => `${event}: ${from} → ${becomes}`),
    );
  });

  it.each(ROWS)(
    '$event: $from becomes $becomes',
    async ({ event, from, decided, becomes, then }) => {
      for (const state of decided) {
        const identifier = await intentIn(from);
        if (state !== null) expect(await happen(event, identifier, state)).toBe(true);
        const intent = await read(identifier);
        expect(intent.state).toBe(becomes);
        expect(
          [60_000, 23 * HOUR].map((later) => nextStep(intent, FIRST + later, METER_MEMORY)),
        ).toEqual(then);
      }
    },
  );

  const others = EVENTS.flatMap((event) => STATES.map((from) => ({ event, from }))).filter(
    ({ event, from }) => !ROWS.some((known) => known.event === event && known.from === from),
  );
  it.each(others)('$event changes nothing that is $from', async ({ event, from }) => {
    const identifier = await intentIn(from);
    for (const state of STATES) expect(await happen(event, identifier, state)).toBe(false);
    expect((await read(identifier)).state).toBe(from);
  });

  it('is sent again until an hour before Stripe forgets the identifier, and for ever while it never went out', () => {
    expect(METER_MEMORY.resendWithinMs).toBe(23 * HOUR);
    const step = (state: PushState, hours: number) =>
      nextStep(
        { state, firstAttemptAt: state === 'pending' ? null : FIRST },
        FIRST + hours * HOUR,
        METER_MEMORY,
      );
    expect([step('sent', 22.999), step('sent', 23)]).toEqual(['send', 'compare']);
    expect(step('pending', 1_000)).toBe('send');
  });

  it('is not sent again after a clock that ran ahead was set back, since nobody knows how long ago it was sent', async () => {
    const sent = { state: 'sent', firstAttemptAt: FIRST } as const;
    const step = (minutes: number) => nextStep(sent, FIRST - minutes * 60_000, METER_MEMORY);
    expect([step(5), step(6)]).toEqual(['send', 'compare']);
    const intent = await read(await intentIn('sent'));
    const { resendWithinMs } = METER_MEMORY;
    const attempt = (minutes: number) =>
      markAttempt(database, intent, { at: FIRST - minutes * 60_000, resendWithinMs });
    expect([await attempt(6), await attempt(5)]).toEqual([false, true]);
  });

  it('is not sent to where it was addressed before', async () => {
    const asRead = await read(await intentIn('pending'));
    expect(await placeIntent(database, asRead.identifier, ELSEWHERE)).toBe(true);
    const { resendWithinMs } = METER_MEMORY;
    const attempt = (intent: typeof asRead) =>
      markAttempt(database, intent, { at: FIRST, resendWithinMs });
    expect(await attempt(asRead)).toBe(false);
    expect(await attempt(await read(asRead.identifier))).toBe(true);
  });
});
