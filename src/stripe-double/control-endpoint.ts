import { DateTime } from 'luxon';
import { z } from 'zod';
import { formatInstant } from '../clock.ts';
import type { DoubleControl, MeterEventView } from './control.ts';
import { faultSpec } from './fault.ts';
import type { RequestRecord } from './world.ts';

/** The control API over HTTP, so that a test in another process can use the double too. */
export const CONTROL_PATH = '/_double/';

const milliseconds = z.int().nonnegative();

const clockBody = z.union([
  z.strictObject({ now: z.union([z.int(), z.iso.datetime({ offset: true })]) }),
  z.strictObject({ advance_ms: milliseconds }),
]);

const settingsBody = z.strictObject({
  summary_lag_ms: milliseconds.optional(),
  latency_ms: milliseconds.optional(),
  async_validation: z.boolean().optional(),
  async_meter_lookup: z.boolean().optional(),
  validation_lag_ms: milliseconds.optional(),
  finalization_grace_ms: milliseconds.nullable().optional(),
  finalization_error: z.string().nullable().optional(),
});

const accountField = { api_key: z.string().optional() };

const customerBody = z.strictObject({
  ...accountField,
  id: z.string().min(1),
  name: z.string().optional(),
  currency: z.string().length(3).toLowerCase().optional(),
  email: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

const webhookBody = z.strictObject({
  ...accountField,
  url: z.url(),
  enabled_events: z.array(z.string()).optional(),
  secret: z.string().optional(),
});

type ControlRoute = (control: DoubleControl, body: unknown) => Promise<unknown> | unknown;

const ROUTES: Readonly<Record<string, ControlRoute>> = {
  'GET clock': (control) => clockView(control),
  'POST clock': async (control, body) => {
    const move = clockBody.parse(body);
    if ('advance_ms' in move) await control.advanceClock(move.advance_ms);
    else await control.setClock(instantOf(move.now));
    return clockView(control);
  },
  'GET faults': (control) => control.faults(),
  'POST faults': (control, body) => {
    control.injectFault(faultSpec.parse(body));
    return control.faults();
  },
  'DELETE faults': (control) => {
    control.clearFaults();
    return [];
  },
  'POST release': (control) => {
    const released = control.held();
    control.releaseHeld();
    return { released };
  },
  'POST settle': async (control) => {
    await control.settle();
    return {};
  },
  'GET meter_events': (control) => control.meterEvents().map(meterEventView),
  'GET requests': (control) => control.requests().map(requestView),
  'GET state': (control) => ({ ...clockView(control), ...control.state() }),
  'GET settings': (control) => settingsView(control),
  'POST settings': (control, body) => {
    control.configure(settingsOf(settingsBody.parse(body)));
    return settingsView(control);
  },
  'POST customers': (control, body) => {
    const { api_key, ...seed } = customerBody.parse(body);
    control.addCustomer(seed, api_key);
    return seed;
  },
  'POST webhook_endpoints': (control, body) => {
    const { api_key, enabled_events: enabledEvents, ...seed } = webhookBody.parse(body);
    return control.addWebhookEndpoint({ ...seed, enabledEvents }, api_key);
  },
  'POST reset': (control) => {
    control.reset();
    return {};
  },
};

/** Answers a control request: 200, 400 with what is wrong in its body, or 404. */
export async function answerControl(
  control: DoubleControl,
  request: { readonly method: string; readonly path: string; readonly body: string },
): Promise<{ readonly status: number; readonly body: object }> {
  const route = ROUTES[`${request.method} ${request.path.slice(CONTROL_PATH.length)}`];
  if (route === undefined) {
    return { status: 404, body: { error: 'no such control', known: Object.keys(ROUTES) } };
  }
  try {
    const body: unknown = request.body === '' ? {} : JSON.parse(request.body);
    return { status: 200, body: Object(await route(control, body)) };
  } catch (error) {
    if (error instanceof z.ZodError)
      return { status: 400, body: { error: z.prettifyError(error) } };
    if (error instanceof SyntaxError) return { status: 400, body: { error: error.message } };
    throw error;
  }
}

function instantOf(now: number | string): number {
  return typeof now === 'number' ? now : DateTime.fromISO(now).toMillis();
}

function clockView(control: DoubleControl) {
  const now = control.now();
  return { now, now_iso: formatInstant(now) };
}

function settingsView(control: DoubleControl) {
  const settings = control.settings();
  return {
    summary_lag_ms: settings.summaryLagMs,
    latency_ms: settings.latencyMs,
    async_validation: settings.asyncValidation,
    async_meter_lookup: settings.asyncMeterLookup,
    validation_lag_ms: settings.validationLagMs,
    finalization_grace_ms: settings.finalizationGraceMs,
    finalization_error: settings.finalizationError,
  };
}

function settingsOf(body: z.infer<typeof settingsBody>) {
  const changes = {
    summaryLagMs: body.summary_lag_ms,
    latencyMs: body.latency_ms,
    asyncValidation: body.async_validation,
    asyncMeterLookup: body.async_meter_lookup,
    validationLagMs: body.validation_lag_ms,
    finalizationGraceMs: body.finalization_grace_ms,
    finalizationError: body.finalization_error,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function meterEventView(event: MeterEventView) {
  const { apiKey, eventName, receivedAt, ...rest } = event;
  return { ...rest, api_key: apiKey, event_name: eventName, received_at: receivedAt };
}

function requestView(record: RequestRecord) {
  const { apiKey, idempotencyKey, receivedAt, ...rest } = record;
  return { ...rest, api_key: apiKey, idempotency_key: idempotencyKey, received_at: receivedAt };
}
