/**
 * The gate is where held requests wait, so that a test can look at what is in flight without
 * sleeping.
 */
export interface HoldGate {
  wait(): Promise<void>;
  /** Lets every waiting request go on. */
  release(): void;
  /** The number of requests that are waiting. */
  held(): number;
}

export function openHoldGate(): HoldGate {
  let waiting: (() => void)[] = [];
  return {
    wait: () => new Promise((resolve) => void waiting.push(resolve)),
    release: () => {
      for (const resolve of waiting.splice(0)) resolve();
      waiting = [];
    },
    held: () => waiting.length,
  };
}
