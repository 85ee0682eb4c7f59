import { vi } from 'vitest';

/** Nothing waits: what would come after a pause comes in the next turn. */
vi.mock('../../src/clock.ts', async (original) => ({
  ...(await original<typeof import('../../src/clock.ts')>()),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
}));
