import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface Stopping {
  readonly stop: AbortSignal;
  /** Signals are the process's own again. */
  readonly forget: () => void;
}

/** The first signal asks for an orderly end, the second ends at once. */
export function stopOnSignal(onFirst: (signal: NodeJS.Signals) => void = () => {}): Stopping {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    onFirst(signal);
    controller.abort();
  };
  return { stop: controller.signal, forget: listen(onSignal) };
}

/** A signal ends the process as it would by itself, and lets go first of what is to end with it. Returns how to forget that. */
export function exitOnSignal(): () => void {
  return listen(exit);
}

/**
 * The first process of a container is ended by no signal that it does not listen to, and most commands listen to none: so it
 * ends itself, unless a command does listen.
 */
export function exitAsFirstProcess(): void {
  if (process.pid !== 1) return;
  listen((signal) => {
    if (process.listenerCount(signal) === 1) exit(signal);
  });
}

function exit(signal: NodeJS.Signals): never {
  process.exit(128 + constants.signals[signal]);
}

function listen(onSignal: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
