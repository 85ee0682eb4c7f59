import type { CallMeter } from '../client-contract.ts';
import type { LayerWeights } from './measure-layers.ts';

/** The weights of a request, taken while its provider works, so that nobody waits for them once it has answered. */
export class RequestWeights {
  readonly #weigh: () => LayerWeights | null;
  #taken: LayerWeights | null = null;

  constructor(meter: CallMeter, weigh: () => LayerWeights | null) {
    this.#weigh = weigh;
    meter.later(() => this.#takeEarly());
  }

  take(): LayerWeights | null {
    this.#taken ??= this.#weigh();
    return this.#taken;
  }

  #takeEarly(): void {
    try {
      this.take();
    } catch {
      // It throws again where the call is recorded, and is told there.
    }
  }
}
