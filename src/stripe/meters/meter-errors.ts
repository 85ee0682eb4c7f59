import type Stripe from 'stripe';
import { z } from 'zod';
import { raiseAlert } from '../../push/alert-store.ts';
import type { Intent } from '../../push/intent.ts';
import { markState, readIntentsByIdentifier } from '../../push/intent-store.ts';
import type { StripeAlert } from '../alerts/stripe-alert.ts';
import { askStripe } from '../stripe-client.ts';
import type { StripeParts } from '../stripe-parts.ts';

/** The two reports by which Stripe takes back a 200: the event was received, and is not counted. */
export const METER_ERROR_TYPES = [
  'v1.billing.meter.error_report_triggered',
  'v1.billing.meter.no_meter_found',
] as const;

/**
 * Reads a report of meter events that Stripe dropped. The notification has no data, so the event is
 * fetched. Its samples name requests by idempotency key, which is our identifier: those intents are
 * parked, since Stripe will not count them. A report names only some: the count is the truth.
 */
export async function readMeterErrors(parts: StripeParts, eventId: string): Promise<string> {
  const event = await askStripe(`event ${eventId}`, () =>
    parts.stripe.v2.core.events.retrieve(eventId),
  );
  const report = reportOf(event);
  if (report === null) return 'ignored: not a report of meter errors';
  const byIdentifier = new Map(report.samples.map((sample) => [sample.identifier, sample]));
  const intents = await readIntentsByIdentifier(parts.database, [...byIdentifier.keys()]);
  for (const intent of intents) {
    const reason = byIdentifier.get(intent.identifier)?.reason ?? '';
    await park(parts, intent, { kind: report.kind, reason });
    byIdentifier.delete(intent.identifier);
  }
  await alertOthers(parts, { eventId, report, foreign: [...byIdentifier.keys()] });
  return `${report.count} events reported, ${intents.length} of ours named`;
}

/** What Stripe sent is not what is known of such an event, so that a person must read it. */
export class UnknownShape extends Error {
  override readonly name = 'UnknownShape';
}

/** A report, as far as it is used. Its enumerations are open, and so is the rest of it. */
const reportData = z.looseObject({
  reason: z.looseObject({
    error_count: z.int(),
    error_types: z.array(
      z.looseObject({
        code: z.string(),
        sample_errors: z.array(
          z.looseObject({
            error_message: z.string().default(''),
            // The key is in the one field by the API's types, and in the other by its documentation.
            request: z.looseObject({
              identifier: z.string().optional(),
              idempotency_key: z.string().optional(),
            }),
          }),
        ),
      }),
    ),
  }),
});

interface Report {
  readonly kind: 'meter_error' | 'no_meter_found';
  readonly count: number;
  readonly samples: readonly { readonly identifier: string; readonly reason: string }[];
}

function reportOf(event: Stripe.V2.Core.Event): Report | null {
  if (
    event.type !== 'v1.billing.meter.error_report_triggered' &&
    event.type !== 'v1.billing.meter.no_meter_found'
  ) {
    return null;
  }
  const read = reportData.safeParse(event.data);
  if (!read.success) {
    const at = read.error.issues[0]?.path.join('.') ?? '';
    throw new UnknownShape(
      `its report has another shape than the ones that are known (at ${at}), so that the events it names are not parked; read event ${event.id} in Stripe and reconcile the month`,
    );
  }
  const { error_count: count, error_types: types } = read.data.reason;
  const samples = types.flatMap(({ code, sample_errors }) =>
    sample_errors.flatMap(({ request, error_message }) => {
      const identifier = request.identifier ?? request.idempotency_key;
      return identifier === undefined ? [] : [{ identifier, reason: `${code}: ${error_message}` }];
    }),
  );
  const kind = event.type === 'v1.billing.meter.no_meter_found' ? 'no_meter_found' : 'meter_error';
  return { kind, count, samples };
}

async function park(
  parts: StripeParts,
  intent: Intent,
  of: { readonly kind: Report['kind']; readonly reason: string },
): Promise<void> {
  const { database, clock, log } = parts;
  const { identifier, tenantId, periodStart } = intent;
  const isSeen = intent.provenAt !== null;
  const parked =
    !isSeen &&
    (await markState(database, identifier, {
      event: 'report',
      state: 'parked',
      answer: of.reason,
      at: clock(),
    }));
  const detail = parked
    ? `Stripe does not count it (${of.reason})`
    : `Stripe reports it (${of.reason}) although ${isSeen ? 'its summary holds it' : `it is ${intent.state}`}`;
  log.error({ identifier, tenantId, detail }, 'Stripe reports a meter event');
  const alert: StripeAlert = { kind: of.kind, subject: identifier, tenantId, periodStart, detail };
  await raiseAlert(database, alert, clock());
}

/** What the report does not name, and what it names and is none of ours. */
async function alertOthers(
  parts: StripeParts,
  of: { readonly eventId: string; readonly report: Report; readonly foreign: readonly string[] },
): Promise<void> {
  const { database, clock, log } = parts;
  const whose = { tenantId: null, periodStart: null };
  const unnamed = of.report.count - of.report.samples.length;
  if (unnamed > 0) {
    const detail = `${unnamed} more events were dropped than the report names`;
    log.error({ event: of.eventId, detail }, 'Stripe reports meter events without naming them');
    const kind = 'meter_errors_not_named';
    await raiseAlert(database, { kind, subject: of.eventId, ...whose, detail }, clock());
  }
  for (const identifier of of.foreign) {
    const detail = 'Stripe dropped an event that Spanledger did not send';
    const kind = 'foreign_meter_error';
    await raiseAlert(database, { kind, subject: identifier, ...whose, detail }, clock());
  }
}
