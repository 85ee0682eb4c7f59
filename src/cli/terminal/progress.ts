import { monotonicMs } from '../../clock.ts';
import { counted, figureOf } from '../../text/counted.ts';
import type { TextStream } from './terminal.ts';

/** The sign that a command is at work, on a terminal's stderr; nothing of it is shown elsewhere. */
export interface WorkSign {
  /** How much of something is done. */
  show(label: string, done: number, all: number): void;
  /** Takes the sign away for a line that is to stand there; the next one may be shown again. */
  clear(): void;
  /** Takes the sign away for good. */
  end(): void;
}

/** Work that takes no longer than this shows no progress. */
const AFTER_MS = 2_000;
const EVERY_MS = 1_000;

export function openProgress(stderr: TextStream, now: () => number = monotonicMs): WorkSign {
  if (stderr.isTTY !== true) return { show: () => {}, clear: () => {}, end: () => {} };
  const startedAt = now();
  let stage = { label: '', startedAt, first: 0 };
  let shown = false;
  let text: string | null = null;
  const clear = () => {
    if (shown) stderr.write('\r\u001b[K');
    shown = false;
  };
  const write = () => {
    if (now() - startedAt < AFTER_MS) return;
    stderr.write(`\r\u001b[K${text ?? `at work for ${seconds(now() - startedAt)}`}`);
    shown = true;
  };
  const timer = setInterval(write, EVERY_MS);
  timer.unref();
  return {
    show(label, done, all) {
      if (label !== stage.label) stage = { label, startedAt: now(), first: done };
      const perMs = (done - stage.first) / (now() - stage.startedAt);
      const left = perMs > 0 && done < all ? `, about ${seconds((all - done) / perMs)} left` : '';
      text = `${barOf(label, done, all)}${left}`;
      write();
    },
    clear,
    end() {
      clearInterval(timer);
      clear();
    },
  };
}

const BAR_WIDTH = 24;

function barOf(label: string, done: number, all: number): string {
  const share = all === 0 ? 1 : Math.min(1, done / all);
  const filled = Math.round(share * BAR_WIDTH);
  const drawn = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${label} ${drawn} ${figureOf(done)} of ${figureOf(all)}`;
}

function seconds(milliseconds: number): string {
  const whole = Math.max(1, Math.round(milliseconds / 1000));
  return whole < 90 ? `${whole} s` : counted(Math.round(whole / 60), 'minute');
}
