import { monotonicMs } from '../clock.ts';

interface LoopLoadOptions {
  readonly windowMs: number;
  /** Later than this on average, window after window, is too late. */
  readonly mostMs: number;
}

/** Half a second late at every turn: requests then wait longer than their senders do. */
const USUAL: LoopLoadOptions = { windowMs: 1_000, mostMs: 500 };
const TICK_MS = 20;
/** One long request is no flood. */
const WINDOWS = 2;

/**
 * How late the event loop is, and whether that was too much for a while. It is measured by a timer that comes late:
 * a histogram of Node's has no figure for a time in which the loop did not turn at all.
 */
export class LoopLoad {
  readonly #options: LoopLoadOptions;
  readonly #timer: NodeJS.Timeout;
  #tickAt = monotonicMs();
  #window = { from: this.#tickAt, ticks: 0, lateMs: 0 };
  #delayMs = 0;
  #lateWindows = 0;

  constructor(options: LoopLoadOptions = USUAL) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Over the last window, on average. */
  get delaySeconds(): number {
    return this.#delayMs / 1000;
  }

  get isTooMuch(): boolean {
    return this.#lateWindows >= WINDOWS;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { windowMs, mostMs } = this.#options;
    const now = monotonicMs();
    const window = this.#window;
    window.ticks += 1;
    window.lateMs += Math.max(0, now - this.#tickAt - TICK_MS);
    this.#tickAt = now;
    if (now - window.from < windowMs) return;
    this.#delayMs = window.lateMs / window.ticks;
    this.#lateWindows = this.#delayMs > mostMs ? this.#lateWindows + 1 : 0;
    this.#window = { from: now, ticks: 0, lateMs: 0 };
  }
}
