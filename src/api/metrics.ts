import { monotonicMs, withinTime } from '../clock.ts';
import type { TakenAnswer } from '../ingest/taking/taken-answer.ts';
import type { StatusAnswer } from '../month/status/status-answer.ts';
import { tellStatus } from '../month/status/tell-status.ts';
import type { ApiParts } from './api-parts.ts';
import type { AppOptions } from './app-options.ts';
import type { LoopLoad } from './loop-load.ts';
import { family, gauge, PROMETHEUS, single } from './prometheus.ts';
import { type Reply, textReply } from './reply.ts';

/** Upper bounds of the buckets, in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** How things stand is asked of the database, so scrapes of several collectors share an answer. */
const STATUS_MS = 10_000;
/** A collector mostly waits for ten seconds, and is then told nothing at all. */
const ANSWER_MS = 8_000;

interface Durations {
  readonly buckets: number[];
  count: number;
  sum: number;
}

/** The counters of this process and the state of the ledger, for Prometheus. No tenant is a label. */
export class Metrics {
  readonly #parts: ApiParts;
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, Durations>();
  readonly #events = new Map<string, number>();
  readonly #load: LoopLoad;
  readonly #diskBytes: () => number;
  #status: { readonly at: number; readonly answer: Promise<StatusAnswer | null> } | null = null;

  constructor({ parts, load, keeper }: Pick<AppOptions, 'parts' | 'load' | 'keeper'>) {
    this.#parts = parts;
    this.#load = load;
    this.#diskBytes = () => keeper?.diskBytes() ?? 0;
  }

  /** The route is its pattern, never a path: ids are no labels. */
  answered(of: {
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void {
    const { route, status, seconds } = of;
    const key = `route="${route}",status="${status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    const durations = this.#durations.get(route) ?? {
      buckets: SECONDS.map(() => 0),
      count: 0,
      sum: 0,
    };
    for (const [index, most] of SECONDS.entries()) {
      if (seconds <= most) durations.buckets[index] = (durations.buckets[index] ?? 0) + 1;
    }
    durations.count += 1;
    durations.sum += seconds;
    this.#durations.set(route, durations);
  }

  took(route: string, { events }: TakenAnswer): void {
    for (const { outcome } of events) {
      const key = `route="${route}",outcome="${outcome}"`;
      this.#events.set(key, (this.#events.get(key) ?? 0) + 1);
    }
  }

  async write(keysRefused: number): Promise<Reply> {
    const status = await this.#statusNow();
    const lines = [
      ...family('spanledger_http_requests_total', 'counter', 'requests answered', this.#requests),
      ...this.#durationLines(),
      ...family('spanledger_ingest_events_total', 'counter', 'events of producers', this.#events),
      ...single('spanledger_keys_refused_total', 'counter', [
        'requests without a valid key',
        keysRefused,
      ]),
      ...single('spanledger_event_loop_delay_seconds', 'gauge', [
        'how late the event loop was in the last second, on average',
        this.#load.delaySeconds,
      ]),
      ...single('spanledger_ingest_disk_bytes', 'gauge', [
        'bytes of events that wait on disk for the queue',
        this.#diskBytes(),
      ]),
      ...single('spanledger_up', 'gauge', ['whether the ledger answers', status === null ? 0 : 1]),
      ...(status === null
        ? []
        : GAUGES.flatMap(([name, help, of]) => gauge(name, help, of(status)))),
    ];
    return textReply(PROMETHEUS, `${lines.join('\n')}\n`);
  }

  #durationLines(): readonly string[] {
    const name = 'spanledger_http_request_seconds';
    const lines = [...this.#durations].flatMap(([route, { buckets, count, sum }]) => [
      ...SECONDS.map(
        (most, index) => `${name}_bucket{route="${route}",le="${most}"} ${buckets[index]}`,
      ),
      `${name}_bucket{route="${route}",le="+Inf"} ${count}`,
      `${name}_sum{route="${route}"} ${sum}`,
      `${name}_count{route="${route}"} ${count}`,
    ]);
    return [`# HELP ${name} how long answers took`, `# TYPE ${name} histogram`, ...lines];
  }

  #statusNow(): Promise<StatusAnswer | null> {
    const now = monotonicMs();
    if (this.#status !== null && now - this.#status.at < STATUS_MS) return this.#status.answer;
    const told = withinTime(ANSWER_MS, tellStatus(this.#parts, { month: null }));
    const answer = told.catch((error: unknown) => {
      this.#parts.log.warn({ error: String(error) }, 'the ledger could not be asked for metrics');
      return null;
    });
    this.#status = { at: now, answer };
    return answer;
  }
}

type Gauge = readonly [string, string, (status: StatusAnswer) => number | null];

const GAUGES: readonly Gauge[] = [
  ['queue_messages', 'messages that wait or are in hand', ({ queue }) => queue],
  ['lag_seconds', 'since the last batch while messages wait', (of) => of.lag_seconds],
  ['open_periods', 'periods that take entries', (of) => of.open_periods],
  ['ended_periods', 'open periods that have ended', (of) => of.ended_periods],
  ['unrated_entries', 'entries without a price', ({ unrated }) => unrated],
  ['unmeasured_entries', 'entries without a measure', ({ unmeasured }) => unmeasured],
  ['entries_without_cost', 'entries whose cost is not known', (of) => of.without_cost],
  ['quarantined_events', 'events that wait in quarantine', ({ quarantine }) => quarantine],
  ['events_under_two_tenants', 'events that two tenants have', (of) => of.under_two_tenants],
  ['calls_reported_twice', 'calls that two events report', (of) => of.reported_twice],
  ['unregistered_tenants', 'tenants that only events named', (of) => of.unregistered_tenants],
  ['holds', 'what budgets have promised', ({ holds }) => holds],
  ['untold_periods', 'closed periods that nobody was told of', (of) => of.untold_periods],
  ['ambiguous_pushes', 'pushes that nobody answered', (of) => of.ambiguous_pushes],
  ['unbilled_periods', 'told periods that no invoice bills', (of) => of.unbilled_periods],
  [
    'periods_on_two_invoices',
    'periods that more than one invoice bills',
    (of) => of.periods_on_two_invoices,
  ],
  [
    'periods_on_voided_invoices',
    'periods whose invoice was voided',
    (of) => of.periods_on_voided_invoices,
  ],
  ['alerts', 'alerts that nobody settled', ({ alerts }) => alerts],
  ['rollups_behind_batches', 'batches that are not in the rollups yet', (of) => of.rollups_behind],
  ['seals_behind_batches', 'batches that are not in the chain yet', (of) => of.seals_behind],
];
