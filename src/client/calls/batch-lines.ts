import { batchResultTranslator } from '../../events/foreign/batch-result.ts';
import { at } from '../../events/foreign/foreign-value.ts';
import type { CallMeter } from '../client-contract.ts';
import type { NewEvent } from '../new-event.ts';
import { withUsage } from '../usage-scope.ts';
import type { InScope } from './background-calls.ts';
import type { MeterOptions } from './meter-options.ts';

interface BatchOptions {
  readonly meter: CallMeter;
  readonly options: Pick<MeterOptions, 'tagsOfBatchCall' | 'modelOfBatchCall'>;
  /** When the batch was done, for calls whose answers name no instant. */
  readonly endedAt: string;
  readonly inScope: InScope;
}

/** The calls of a batch, from the file of its results: a line each, in whatever pieces it comes. */
export class BatchLines {
  readonly #options: BatchOptions;
  readonly #decoder = new TextDecoder();
  #rest = '';
  /** Any file may be read by the same request; it is one of results if its first line is. */
  #isBatch: boolean | null = null;

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  take(bytes: Uint8Array): void {
    if (this.#isBatch !== false) this.#read(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    if (this.#isBatch !== false) this.#read(`${this.#decoder.decode()}\n`);
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    // A file that does not begin like JSON has no end to wait for.
    if (this.#isBatch === null && !/^\s*(?:\{|$)/.test(lines[0] ?? this.#rest))
      this.#isBatch = false;
    for (const line of lines) {
      if (this.#isBatch !== false && line.trim() !== '') this.#record(line);
    }
    if (this.#isBatch === false) this.#rest = '';
  }

  #record(line: string): void {
    const value = parse(line);
    const isLine = value !== null && batchResultTranslator.recognizes(value);
    this.#isBatch ??= isLine;
    if (value === null || !isLine) return;
    const { meter, options, endedAt, inScope } = this.#options;
    const customId = String(at(value, 'custom_id'));
    // It counts only where neither the line nor its answer names one.
    const named = { modelId: options.modelOfBatchCall?.(customId), ...value };
    for (const { event, usageAssumed } of batchResultTranslator.translate(named)) {
      const usage = at(event, 'usage');
      const counted =
        typeof usage === 'object' && usageAssumed ? { ...usage, assumed: true } : usage;
      const made = { occurred_at: endedAt, ...event, usage: counted ?? undefined } as NewEvent;
      const tags = options.tagsOfBatchCall?.(customId) ?? {};
      inScope(() => withUsage(tags, () => meter.meter(made)));
    }
  }
}

function parse(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
