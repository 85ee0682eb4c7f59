import type { PriceBookDocument } from '../../src/rating/books/price-book-document.ts';
import { parsePriceBook } from '../../src/rating/books/price-book-document.ts';

/** The packing size: SQS bills every 64 KiB as a request, so a larger message saves nothing. */
const PACK_BYTES = 64 * 1024;

/** Long past, so that no clock finds the events to be in the future. */
const FIRST_INSTANT = Date.UTC(2026, 0, 15);

interface OfferedModel {
  readonly provider: string;
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly cacheRead: string;
}

const MODELS: readonly OfferedModel[] = [
  { provider: 'openai', model: 'gpt-4o-mini', input: '0.15', output: '0.6', cacheRead: '0.075' },
  { provider: 'openai', model: 'gpt-4o', input: '2.5', output: '10', cacheRead: '1.25' },
  { provider: 'openai', model: 'gpt-4.1-mini', input: '0.4', output: '1.6', cacheRead: '0.1' },
  { provider: 'openai', model: 'o4-mini', input: '1.1', output: '4.4', cacheRead: '0.275' },
  {
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    input: '3',
    output: '15',
    cacheRead: '0.3',
  },
  { provider: 'anthropic', model: 'claude-haiku-4-5', input: '1', output: '5', cacheRead: '0.1' },
  {
    provider: 'gcp.gemini',
    model: 'gemini-2.5-flash',
    input: '0.3',
    output: '2.5',
    cacheRead: '0.075',
  },
  {
    provider: 'gcp.gemini',
    model: 'gemini-2.5-pro',
    input: '1.25',
    output: '10',
    cacheRead: '0.31',
  },
  { provider: 'openai', model: 'gpt-4.1', input: '2', output: '8', cacheRead: '0.5' },
  {
    provider: 'anthropic',
    model: 'claude-opus-4-5',
    input: '5',
    output: '25',
    cacheRead: '0.5',
  },
  {
    provider: 'mistral_ai',
    model: 'mistral-large-2411',
    input: '2',
    output: '6',
    cacheRead: '0.2',
  },
  {
    provider: 'deepseek',
    model: 'deepseek-chat',
    input: '0.28',
    output: '0.42',
    cacheRead: '0.028',
  },
];

/** A feature calls its own model, and now and then another; two versions of its prompt are in use. */
const FEATURES = ['support-chat', 'search-answers', 'summaries', 'code-review', 'agent-inbox'];

/** A charge book and a cost book for all models of the events. */
export function benchPriceBooks(): readonly PriceBookDocument[] {
  const models = (withProvider: boolean) =>
    MODELS.map(({ provider, model, input, output, cacheRead }) => ({
      ...(withProvider ? { provider } : {}),
      model,
      per_million: { input, output, cache_read: cacheRead },
    }));
  const common = { currency: 'USD', effective_from: '2025-01-01T00:00:00Z' };
  return [
    parsePriceBook({ book: 'standard', kind: 'charge', ...common, models: models(false) }),
    parsePriceBook({ book: 'providers', kind: 'cost', ...common, models: models(true) }),
  ];
}

/** What kind of events arrive, and how they are packed. */
export interface Traffic {
  /** Packs of 64 KiB, or one event a message. */
  readonly shape: 'packed' | 'single';
  /** Of a hundred events, so many repeat an earlier one, to the byte. */
  readonly duplicates: number;
  /** Of a hundred, so many claim a negative number of tokens. */
  readonly bad: number;
  /** Of a hundred, so many are batched requests for several tenants. */
  readonly batched: number;
  /** Of each batched request. */
  readonly members: number;
  readonly tenants: number;
  /** uuid7, as our own client makes them, or uuid4, as most producers do. */
  readonly ids: 'ordered' | 'random';
  /** Of another seed every event is another one. */
  readonly seed: number;
}

export const CLEAN: Traffic = {
  shape: 'packed',
  duplicates: 0,
  bad: 0,
  batched: 0,
  members: 4,
  tenants: 60,
  ids: 'ordered',
  seed: 20_261_122,
};

/** Message bodies, and what a ledger that took all of them holds. */
export interface BenchMessages {
  readonly bodies: readonly string[];
  readonly entries: number;
}

/** The first `count` events of the seed, always the same ones. */
export function benchMessages(count: number, traffic: Traffic): BenchMessages {
  const stream = new EventStream(traffic, DAY_MS / count);
  const events = Array.from({ length: count }, () => stream.next());
  const bodies = traffic.shape === 'single' ? events : pack(events);
  return { bodies, entries: stream.entries };
}

/** Packs without end, for runs that last until a time is over; two milliseconds between calls. */
export class PackStream {
  readonly #events: EventStream;

  constructor(traffic: Traffic) {
    this.#events = new EventStream(traffic, 2);
  }

  next(): { readonly body: string; readonly count: number } {
    const events: string[] = [];
    for (let bytes = PACK_HEAD.length + 2; bytes < PACK_BYTES - LONGEST_EVENT; ) {
      const event = this.#events.next();
      events.push(event);
      bytes += event.length + 1;
    }
    return { body: `${PACK_HEAD}${events.join(',')}]}`, count: events.length };
  }
}

/** The attribute of a message that says when it went into the queue, in epoch milliseconds. */
export const SENT_AT = 'sent_at';

const PACK_HEAD = '{"events":[';
/** Of one without members; what a pack without end leaves free at the most. */
const LONGEST_EVENT = 700;

function pack(events: readonly string[]): readonly string[] {
  const bodies: string[] = [];
  let open: string[] = [];
  let bytes = PACK_HEAD.length + 2;
  for (const event of events) {
    if (bytes + event.length + 1 > PACK_BYTES && open.length > 0) {
      bodies.push(`${PACK_HEAD}${open.join(',')}]}`);
      open = [];
      bytes = PACK_HEAD.length + 2;
    }
    open.push(event);
    bytes += event.length + 1;
  }
  if (open.length > 0) bodies.push(`${PACK_HEAD}${open.join(',')}]}`);
  return bodies;
}

/** Native events as JSON, ASCII only, about 550 bytes each without members. */
class EventStream {
  /** That a ledger holds after all events so far. */
  entries = 0;
  readonly #traffic: Traffic;
  readonly #stepMs: number;
  readonly #random: Random;
  readonly #runs: Run[];
  /** The last good events, some of which come again. */
  readonly #recent: string[] = [];
  #count = 0;

  constructor(traffic: Traffic, stepMs: number) {
    this.#traffic = traffic;
    this.#stepMs = stepMs;
    this.#random = new Random(traffic.seed);
    this.#runs = Array.from({ length: OPEN_RUNS }, () => beginRun(this.#random, traffic.tenants));
  }

  next(): string {
    const random = this.#random;
    const { duplicates, bad, batched, members, tenants, ids } = this.#traffic;
    const lot = duplicates + bad + batched === 0 ? 100 : random.next() * 100;
    const repeated = lot < duplicates ? this.#recent[random.below(this.#recent.length)] : undefined;
    if (repeated !== undefined) return repeated;
    const occurredAt = FIRST_INSTANT + Math.floor(this.#count * this.#stepMs);
    this.#count += 1;
    const place = random.below(OPEN_RUNS);
    if (random.next() < 1 / CALLS_A_RUN) this.#runs[place] = beginRun(random, tenants);
    const event = benchEvent(this.#runs[place] ?? beginRun(random, tenants), {
      random,
      occurredAt,
      ids,
    });
    const rest = lot - duplicates;
    if (rest < bad) return JSON.stringify(withNegativeTokens(event));
    const isBatched = rest - bad < batched;
    this.entries += isBatched ? members : 1;
    return this.#remember(
      JSON.stringify(isBatched ? withMembers(event, { random, members, tenants }) : event),
    );
  }

  #remember(event: string): string {
    if (this.#recent.length < RECENT_EVENTS) this.#recent.push(event);
    else this.#recent[this.#random.below(RECENT_EVENTS)] = event;
    return event;
  }
}

const DAY_MS = 86_400_000;
/** How far back repeats reach: some are in the batch of the first, most are in the ledger by then. */
const RECENT_EVENTS = 10_000;

function withNegativeTokens(event: BenchEvent) {
  return { ...event, usage: { ...event.usage, input_tokens: -1 } };
}

/** Shares by weight, so that every one is split by the largest remainder (R7). */
function withMembers(
  event: BenchEvent,
  given: { readonly random: Random; readonly members: number; readonly tenants: number },
) {
  const { random, members, tenants } = given;
  const first = random.below(tenants);
  return {
    ...event,
    members: Array.from({ length: members }, (_, index) => ({
      member_id: `m${index}`,
      tenant_id: tenantName((first + index) % tenants),
      weight: 1 + random.below(9),
    })),
  };
}

/** Runs under way at any time; the calls of each are scattered among those of the others. */
const OPEN_RUNS = 300;
const CALLS_A_RUN = 8;

/** What all calls of one agent run have in common. */
interface Run {
  readonly tenantId: string;
  readonly userId: string;
  readonly feature: string;
  readonly promptVersion: string;
  readonly runId: string;
  readonly traceId: string;
}

/** A few tenants have most of the traffic. */
function beginRun(random: Random, tenants: number): Run {
  return {
    tenantId: tenantName(Math.floor(tenants * random.next() ** 2)),
    userId: `user-${random.below(2_000)}`,
    feature: random.skewed(FEATURES),
    promptVersion: `v${4 + random.below(2)}`,
    runId: `run-${random.hex(12)}`,
    traceId: random.hex(32),
  };
}

/** As the benchmark's databases have them, made by the same rule in SQL. */
function tenantName(number: number): string {
  return `tenant-${String(number).padStart(6, '0')}`;
}

type BenchEvent = ReturnType<typeof benchEvent>;

function benchEvent(
  run: Run,
  given: {
    readonly random: Random;
    readonly occurredAt: number;
    readonly ids: Traffic['ids'];
  },
) {
  const { random, occurredAt, ids } = given;
  const { provider, model } = modelOf(run.feature, random);
  const tookMs = 300 + random.below(9_000);
  const failed = random.next() < 0.03;
  const input = 200 + random.below(6_000);
  return {
    event_id: ids === 'ordered' ? random.uuid7(occurredAt) : random.uuid4(),
    source: 'gateway',
    occurred_at: new Date(occurredAt).toISOString(),
    started_at: new Date(occurredAt - tookMs).toISOString(),
    status: failed ? 'error' : 'ok',
    ...(failed ? { error_type: 'rate_limited' } : {}),
    operation: 'chat',
    provider,
    requested_model: model,
    ...(failed ? {} : { response_id: `chatcmpl-${random.hex(24)}` }),
    usage: {
      input_tokens: failed ? 0 : input,
      output_tokens: failed ? 0 : 20 + random.below(1_200),
      cache_read_tokens: failed || random.next() < 0.6 ? 0 : random.below(input),
    },
    tenant_id: run.tenantId,
    user_id: run.userId,
    feature: run.feature,
    agent_run_id: run.runId,
    prompt_version: run.promptVersion,
    trace_id: run.traceId,
    span_id: random.hex(16),
  };
}

function modelOf(feature: string, random: Random): OfferedModel {
  if (random.next() < 0.1) return random.skewed(MODELS);
  return MODELS[FEATURES.indexOf(feature)] ?? random.skewed(MODELS);
}

/** Mulberry32: seeded, so that every run of the benchmark bills the same events. */
class Random {
  #state: number;
  /** All seeds walk one circle of states; without it one seed's events would turn up in another's. */
  readonly #key: number;

  constructor(seed: number) {
    this.#state = seed;
    this.#key = Math.imul(seed, 0x9e3779b1);
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state) ^ this.#key;
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Earlier items more often, as a few models and features carry most traffic. */
  skewed<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(items.length * this.next() ** 2)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  hex(digits: number): string {
    let text = '';
    while (text.length < digits) text += this.below(0x10000).toString(16).padStart(4, '0');
    return text.slice(0, digits);
  }

  uuid4(): string {
    const digits = this.hex(30);
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(12, 15)}-8${digits.slice(15, 18)}-${digits.slice(18)}`;
  }

  uuid7(at: number): string {
    const time = at.toString(16).padStart(12, '0');
    const tail = this.hex(18);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6)}`;
  }
}
