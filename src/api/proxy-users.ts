import { BlockList, isIP } from 'node:net';
import type { Config } from '../config.ts';
import type { Caller } from '../keys/key.ts';
import { Refusal } from '../refusal.ts';
import { refuseOtherSites } from './other-sites.ts';

/** Whom the proxy names in a request: nobody, a user of this ledger, or somebody who is let in nowhere. */
export type ToldUser =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly user: Caller }
  | { readonly kind: 'refused'; readonly detail: string; readonly remedy: string };

export interface ProxyUsersOptions {
  /** The header in which the proxy names the user. */
  readonly header: string;
  /** Addresses and networks of the proxy: nobody else is believed. */
  readonly proxies: readonly string[];
  readonly admins: readonly string[];
  /** A star stands for everybody whom the proxy lets in. */
  readonly readers: readonly string[];
}

/**
 * Single sign-on: a proxy before the server signs people in and names each in a header. Anybody can write a header,
 * so it counts from the proxy's address alone; and who is an admin and who a reader is said here, not there.
 */
export class ProxyUsers {
  readonly #options: ProxyUsersOptions;
  readonly #proxies = new BlockList();

  constructor(options: ProxyUsersOptions) {
    this.#options = options;
    for (const proxy of options.proxies) {
      const [address = '', prefix] = proxy.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#proxies.addAddress(address, family);
      else this.#proxies.addSubnet(address, Number(prefix), family);
    }
  }

  tell(headers: Headers, address: string): ToldUser {
    const { header } = this.#options;
    const given = headers.get(header);
    if (given === null) return { kind: 'nobody' };
    if (!this.#isProxy(address)) {
      return {
        kind: 'refused',
        detail: `the request names a user in ${header}, and does not come from the proxy`,
        remedy: 'come through the proxy, or bear a key and leave the header out',
      };
    }
    const name = nameIn(given);
    const role = name === null ? null : this.#roleOf(name);
    if (name !== null && role !== null) return { kind: 'user', user: userNamed(name, role) };
    return {
      kind: 'refused',
      detail:
        name === null
          ? `the header ${header} has to name one user, in 1 to 100 characters without a comma`
          : `the user "${name}" may neither look nor act here`,
      remedy:
        name === null
          ? 'let the proxy set it, and take away what a browser sends under that name'
          : 'ask whoever runs the server to name the user among its readers or admins',
    };
  }

  #isProxy(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#proxies.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }

  #roleOf(name: string): 'admin' | 'reader' | null {
    const { admins, readers } = this.#options;
    if (admins.includes(name)) return 'admin';
    return readers.includes(name) || readers.includes('*') ? 'reader' : null;
  }
}

/**
 * Reads what is configured; null where there is no single sign-on. Half of it is refused, since it
 * would let anybody in.
 */
export function openProxyUsers(config: Config): ProxyUsers | null {
  const { SPANLEDGER_USER_HEADER: header, SPANLEDGER_USER_PROXY: proxies } = config;
  const { SPANLEDGER_USER_ADMINS: admins, SPANLEDGER_USER_READERS: readers } = config;
  const isSaid = header !== undefined || [proxies, admins, readers].some((list) => list.length > 0);
  if (!isSaid) return null;
  if (header === undefined || proxies.length === 0) {
    throw new Refusal(
      'misconfigured',
      'users of a proxy need both the header that names them and the address of the proxy, as anybody can write a header',
      'set SPANLEDGER_USER_HEADER and SPANLEDGER_USER_PROXY, or neither',
    );
  }
  if (admins.length + readers.length === 0) {
    throw new Refusal(
      'misconfigured',
      'the users of the proxy have no role, so that none of them could do anything',
      'name them in SPANLEDGER_USER_ADMINS and SPANLEDGER_USER_READERS; a star among the readers is everybody',
    );
  }
  return new ProxyUsers({ header, proxies, admins, readers });
}

/**
 * Refuses what a page of another site made a browser send: the proxy's cookie goes with every request of the browser,
 * wherever it comes from.
 */
export function refuseForgedAct(request: Request): void {
  if (!['GET', 'HEAD'].includes(request.method)) refuseOtherSites(request.headers);
}

const MOST_CHARACTERS = 100;

/** Two values that were joined are two names, of which one may be forged. Node reads bytes as Latin-1. */
function nameIn(given: string): string | null {
  const name = utf8Of(given).trim();
  const isName =
    name !== '' && name.length <= MOST_CHARACTERS && !/[,\p{Cc}\p{Cf}\ufffd]/u.test(name);
  return isName && name !== '*' ? name : null;
}

function utf8Of(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function userNamed(name: string, role: 'admin' | 'reader'): Caller {
  const unscoped = { tenantId: null, source: null, tenantIds: null, rate: null };
  return { keyId: `user:${name}`, name, role, ...unscoped };
}
