import type { Clock, InstantMs } from '../clock.ts';
import { type Account, openAccount } from './account.ts';
import { addCustomer, type CustomerSeed } from './customer.ts';
import { writeDecimal } from './exact-decimal.ts';
import type { Fault, FaultSpec } from './fault.ts';
import { type DoubleSettings, defaultSettings } from './settings.ts';
import type { WebhookEndpoint } from './stripe-object.ts';
import { addWebhookEndpoint, type WebhookEndpointSeed } from './webhook.ts';
import type { RequestRecord, World } from './world.ts';

/** The account that is meant when none is named. */
export const DEFAULT_API_KEY = 'sk_test_double';

/** What a test may do to the double and ask of it, beside calling the API. */
export interface DoubleControl {
  readonly now: Clock;
  /** Makes it that instant, and does first what falls due on the way. Going back undoes nothing. */
  setClock(instant: InstantMs): Promise<void>;
  advanceClock(milliseconds: number): Promise<void>;
  /** Resolves when all webhook deliveries that are due have been made. */
  settle(): Promise<void>;
  /** Throws when the fault is not a valid one. */
  injectFault(fault: FaultSpec): void;
  faults(): readonly Fault[];
  clearFaults(): void;
  /** Lets the requests that a `hold` fault stopped go on. */
  releaseHeld(): void;
  /** The number of requests that are being held. */
  held(): number;
  /** Every event that is counted, of all accounts, in the order of arrival. */
  meterEvents(): readonly MeterEventView[];
  /** Every request to the API, in the order of arrival. */
  requests(): readonly RequestRecord[];
  settings(): Readonly<DoubleSettings>;
  configure(change: Partial<DoubleSettings>): void;
  setSummaryLag(milliseconds: number): void;
  /** Adds a customer with an id of the test's choosing, which the API does not allow. */
  addCustomer(seed: CustomerSeed, apiKey?: string): void;
  addWebhookEndpoint(seed: WebhookEndpointSeed, apiKey?: string): WebhookEndpoint;
  /** Everything the accounts hold, to look at; the shape is not a promise. */
  state(): object;
  /** Empties the double, and sets clock and settings to what they were at the start. */
  reset(): void;
}

/** A counted meter event, as a test looks at it. */
export interface MeterEventView {
  readonly apiKey: string;
  readonly meter: string;
  readonly eventName: string;
  readonly customer: string;
  readonly identifier: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** A plain decimal. */
  readonly value: string;
  readonly receivedAt: InstantMs;
  readonly canceled: boolean;
}

/** The state in which the double was started, to which `reset` returns. */
export interface InitialState {
  /** Null follows the base clock as it is. */
  readonly startsAt: InstantMs | null;
  readonly settings: Partial<DoubleSettings>;
  readonly seed: DoubleSeed;
}

/** What the default account holds from the start. */
export interface DoubleSeed {
  readonly customers?: readonly CustomerSeed[] | undefined;
  readonly webhookEndpoints?: readonly WebhookEndpointSeed[] | undefined;
}

export function controlOf(world: World, initial: InitialState): DoubleControl {
  const { clock, faults, gate, lifeCycle } = world;
  const configure = (change: Partial<DoubleSettings>) => void Object.assign(world.settings, change);
  return {
    now: clock.now,
    setClock: lifeCycle.advanceTo,
    advanceClock: (milliseconds) => lifeCycle.advanceTo(clock.now() + milliseconds),
    settle: lifeCycle.settle,
    injectFault: faults.add,
    faults: faults.list,
    clearFaults: faults.clear,
    releaseHeld: gate.release,
    held: gate.held,
    meterEvents: () => [...world.accounts.values()].flatMap(countedEvents),
    requests: () => world.requests,
    settings: () => ({ ...world.settings }),
    configure,
    setSummaryLag: (summaryLagMs) => configure({ summaryLagMs }),
    addCustomer: (seed, apiKey) => void addCustomer(namedAccount(world, apiKey), seed),
    addWebhookEndpoint: (seed, apiKey) => addWebhookEndpoint(namedAccount(world, apiKey), seed),
    state: () => ({ settings: world.settings, accounts: [...world.accounts.values()].map(shown) }),
    reset: () => resetWorld(world, initial),
  };
}

/** Puts a world, new or used, into its initial state. */
export function resetWorld(world: World, initial: InitialState): void {
  world.gate.release();
  world.faults.clear();
  world.requests.length = 0;
  world.accounts.clear();
  world.clock.restart(initial.startsAt);
  Object.assign(world.settings, defaultSettings(), initial.settings);
  const account = namedAccount(world);
  for (const seed of initial.seed.customers ?? []) addCustomer(account, seed);
  for (const seed of initial.seed.webhookEndpoints ?? []) addWebhookEndpoint(account, seed);
}

function namedAccount(world: World, apiKey = DEFAULT_API_KEY): Account {
  const account = world.accounts.get(apiKey) ?? openAccount(apiKey, world);
  world.accounts.set(apiKey, account);
  return account;
}

function countedEvents(account: Account): MeterEventView[] {
  return account.usage.all().map((event) => ({
    apiKey: account.apiKey,
    meter: event.meterId,
    eventName: account.meters.get(event.meterId)?.event_name ?? '',
    customer: event.customer,
    identifier: event.identifier,
    timestamp: event.timestamp,
    value: writeDecimal(event.value),
    receivedAt: event.receivedAt,
    canceled: event.canceled,
  }));
}

function shown(account: Account): object {
  return {
    api_key: account.apiKey,
    meters: [...account.meters.values()],
    products: [...account.products.values()],
    prices: [...account.prices.values()],
    customers: [...account.customers.values()],
    subscriptions: [...account.subscriptions.values()].map((each) => each.shown),
    invoices: [...account.invoices.values()].map((each) => each.shown),
    invoice_items: [...account.invoiceItems.values()],
    credit_notes: [...account.creditNotes.values()],
    events: [...account.events.values()],
    thin_events: [...account.thinEvents.values()],
    webhook_endpoints: [...account.webhookEndpoints.values()],
    unreported_rejections: account.rejections,
  };
}
