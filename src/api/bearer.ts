import { monotonicMs, pause } from '../clock.ts';
import type { Caller, Key } from '../keys/key.ts';
import { recognizeKey } from '../keys/recognize-key.ts';
import type { Parts } from '../parts.ts';
import { problem } from './problem.ts';
import { type ProxyUsers, refuseForgedAct } from './proxy-users.ts';
import type { Reply } from './reply.ts';

/** Who asks, or what the door answers instead. */
export type Bearer<Who extends Caller = Caller> =
  | { readonly kind: 'known'; readonly key: Who }
  | { readonly kind: 'refused'; readonly reply: Reply };

/** So many wrong keys of one address cost it nothing; a producer with an old key soon has as many. */
const FREE_FAILURES = 20;
/** Every further one is answered later than the one before, up to this time. */
const SLOWEST_MS = 2_000;
const STEP_MS = 100;
/** Addresses remembered; the oldest is forgotten for a new one. */
const MOST_ADDRESSES = 10_000;

/** Lets in whoever bears a valid key; failures are counted by address and slowed, and keys have their rates. */
export class KeyDoor {
  readonly #parts: Pick<Parts, 'database' | 'clock' | 'log'>;
  readonly #users: ProxyUsers | null;
  readonly #failures = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();
  #refused = 0;

  constructor(parts: Pick<Parts, 'database' | 'clock' | 'log'>, users: ProxyUsers | null) {
    this.#parts = parts;
    this.#users = users;
  }

  /** Requests without a valid key since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Whoever sends a request: the key that it bears, or else the user whom the proxy names. */
  async letInRequest(request: Request, address: string): Promise<Bearer> {
    const authorization = request.headers.get('authorization');
    if (this.#users === null || A_KEY.test(authorization ?? '')) {
      return this.letIn(authorization, address);
    }
    const told = this.#users.tell(request.headers, address);
    if (told.kind === 'nobody') return this.letIn(authorization, address);
    if (told.kind === 'refused') return { kind: 'refused', reply: problem('not_permitted', told) };
    refuseForgedAct(request);
    return { kind: 'known', key: told.user };
  }

  async letIn(authorization: string | null, address: string): Promise<Bearer<Key>> {
    const given = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1] ?? null;
    if (given === null) return this.#refuse(NO_KEY);
    const recognized = await recognizeKey(this.#parts, given);
    if (recognized.kind !== 'known') return this.refuse(WHY[recognized.kind], address);
    const { key } = recognized;
    const waitSeconds = this.#takeToken(key);
    if (waitSeconds === 0) return { kind: 'known', key };
    const reply = problem('too_many_requests', {
      detail: `the key "${key.name}" may make ${key.rate} requests a second`,
      remedy: 'wait as long as Retry-After says, or ask for a key with a higher rate',
      headers: { 'retry-after': String(waitSeconds) },
    });
    return { kind: 'refused', reply };
  }

  /** Refuses a secret that is wrong; each further one of an address is answered later. */
  async refuse(detail: string, address: string): Promise<Bearer<Key>> {
    await this.#slowDown(address);
    return this.#refuse(detail);
  }

  #refuse(detail: string): Bearer<Key> {
    this.#refused += 1;
    const reply = problem('unauthenticated', {
      detail,
      remedy: 'send Authorization: Bearer KEY, with a key from whoever runs the server',
      headers: { 'www-authenticate': 'Bearer realm="spanledger"' },
    });
    return { kind: 'refused', reply };
  }

  async #slowDown(address: string): Promise<void> {
    const failures = (this.#failures.get(address) ?? 0) + 1;
    this.#failures.delete(address);
    this.#failures.set(address, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
    await pause(Math.min(SLOWEST_MS, Math.max(0, failures - FREE_FAILURES) * STEP_MS));
  }

  /** A bucket holds one second's requests and fills at the key's rate; answers the seconds to wait, or 0. */
  #takeToken({ keyId, rate }: Key): number {
    if (rate === null) return 0;
    const now = monotonicMs();
    const before = this.#buckets.get(keyId) ?? { tokens: rate, at: now };
    const tokens = Math.min(rate, before.tokens + ((now - before.at) / 1000) * rate);
    this.#buckets.set(keyId, { tokens: tokens < 1 ? tokens : tokens - 1, at: now });
    return tokens < 1 ? Math.max(1, Math.ceil((1 - tokens) / rate)) : 0;
  }
}

/** A proxy may send a token of its own under the same header. */
const A_KEY = /^Bearer\s+slk_/i;

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

const NO_KEY = 'the request bears no key';
/** A key that is not there and one that is wrong are told alike. */
const WHY = {
  unknown: 'the key of the request is not known',
  expired: 'the key of the request has expired',
  revoked: 'the key of the request was revoked',
} as const;
