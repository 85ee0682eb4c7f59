import type { PriceBookDocument } from '../../src/rating/price-book-document.ts';
import { parsePriceBook } from '../../src/rating/price-book-document.ts';

/** The packing size: SQS bills every 64 KiB as a request, so a larger message saves nothing. */
const PACK_BYTES = 64 * 1024;

/** Long past, so that no clock finds the events to be in the future. */
const FIRST_INSTANT = Date.UTC(2026, 0, 15);
const TENANTS = 60;

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

/** Message bodies of the first `count` events of the seed: one event each, or packs of 64 KiB. */
export function benchMessages(count: number, shape: 'packed' | 'single'): readonly string[] {
  const events = benchEvents(count);
  return shape === 'single' ? events : pack(events);
}

function pack(events: readonly string[]): readonly string[] {
  const bodies: string[] = [];
  const head = '{"events":[';
  let open: string[] = [];
  let bytes = head.length + 2;
  for (const event of events) {
    if (bytes + event.length + 1 > PACK_BYTES) {
      bodies.push(`${head}${open.join(',')}]}`);
      open = [];
      bytes = head.length + 2;
    }
    open.push(event);
    bytes += event.length + 1;
  }
  if (open.length > 0) bodies.push(`${head}${open.join(',')}]}`);
  return bodies;
}

/** Native events as JSON, ASCII only, about 550 bytes each; always the same ones. */
function benchEvents(count: number): readonly string[] {
  const random = new Random(20_261_122);
  const runs = Array.from({ length: OPEN_RUNS }, () => beginRun(random));
  return Array.from({ length: count }, (_, index) => {
    // A day of calls at whatever rate gives the count, so that rollups have a day's groups.
    const occurredAt = FIRST_INSTANT + Math.floor((index / count) * 86_400_000);
    const place = random.below(OPEN_RUNS);
    if (random.next() < 1 / CALLS_A_RUN) runs[place] = beginRun(random);
    return JSON.stringify(benchEvent(runs[place] ?? beginRun(random), { random, occurredAt }));
  });
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

function beginRun(random: Random): Run {
  const tenant = Math.floor(TENANTS * random.next() ** 2);
  return {
    tenantId: `tenant-${String(tenant).padStart(3, '0')}`,
    userId: `user-${random.below(2_000)}`,
    feature: random.skewed(FEATURES),
    promptVersion: `v${4 + random.below(2)}`,
    runId: `run-${random.hex(12)}`,
    traceId: random.hex(32),
  };
}

function benchEvent(run: Run, given: { readonly random: Random; readonly occurredAt: number }) {
  const { random, occurredAt } = given;
  const { provider, model } = modelOf(run.feature, random);
  const tookMs = 300 + random.below(9_000);
  const failed = random.next() < 0.03;
  const input = 200 + random.below(6_000);
  return {
    event_id: random.uuid7(occurredAt),
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

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
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

  uuid7(at: number): string {
    const time = at.toString(16).padStart(12, '0');
    const tail = this.hex(18);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6)}`;
  }
}
