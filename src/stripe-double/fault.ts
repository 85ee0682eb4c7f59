import { z } from 'zod';

/** One way in which the double misbehaves on demand. */
export const faultSpec = z.strictObject({
  /**
   * - `reset_before_apply`: the connection is reset and nothing was done.
   * - `apply_then_reset`: the request is executed and the connection reset before the answer.
   * - `cut_body`: executed; the headers and half of the body are sent, then the connection ends.
   * - `rate_limit`: 429 of the limiter; with the header that names the limit when `reason` is given.
   * - `lock_timeout`: 429 with code `lock_timeout` and `stripe-should-retry: true`.
   * - `stored_500`: a 500 that the idempotency key replays; executed only with `applied: true`.
   * - `html_503`: a 503 whose body is HTML, as a proxy sends it; nothing was done.
   * - `error`: `status` with `code` and `message`; nothing was done.
   * - `hold`: executed only when the held requests are released; in flight until then.
   */
  kind: z.enum([
    'reset_before_apply',
    'apply_then_reset',
    'cut_body',
    'rate_limit',
    'lock_timeout',
    'stored_500',
    'html_503',
    'error',
    'hold',
  ]),
  /**
   * The requests that are meant; all of the API by default. A path ending in `*` fits what begins
   * like it.
   */
  match: z.strictObject({ method: z.string().optional(), path: z.string().optional() }).default({}),
  /** The number of matching requests that are hit. Default 1. */
  times: z.int().positive().default(1),
  /** The number of matching requests that go through before. Default 0. */
  after: z.int().nonnegative().default(0),
  applied: z.boolean().default(false),
  reason: z.string().optional(),
  status: z.int().min(400).max(599).default(500),
  code: z.string().optional(),
  message: z.string().default('An injected fault of the Stripe double.'),
});

export type FaultSpec = z.input<typeof faultSpec>;

export type Fault = z.output<typeof faultSpec>;

/** The faults still to be injected, oldest first. */
export interface FaultQueue {
  /** Throws a ZodError when the fault is not a valid one. */
  add(spec: FaultSpec): void;
  /** The fault that hits this request, which uses it up once; null when there is none. */
  take(request: { readonly method: string; readonly path: string }): Fault | null;
  list(): readonly Fault[];
  clear(): void;
}

export function openFaultQueue(): FaultQueue {
  let queue: Fault[] = [];
  return {
    add: (spec) => void queue.push(faultSpec.parse(spec)),
    take: (request) => {
      for (const fault of queue) {
        if (!hits(fault, request)) continue;
        if (fault.after > 0) {
          fault.after -= 1;
          continue;
        }
        fault.times -= 1;
        queue = queue.filter(({ times }) => times > 0);
        return fault;
      }
      return null;
    },
    list: () => queue,
    clear: () => {
      queue = [];
    },
  };
}

function hits({ match }: Fault, request: { readonly method: string; readonly path: string }) {
  if (match.method !== undefined && match.method.toUpperCase() !== request.method) return false;
  if (match.path === undefined) return true;
  return match.path.endsWith('*')
    ? request.path.startsWith(match.path.slice(0, -1))
    : request.path === match.path;
}
