import { BlockList, isIP } from 'node:net';
import { Refusal } from '../refusal.ts';

/**
 * Reads the address of an endpoint, as far as it can be judged without asking a name server. Throws
 * a `Refusal`; what a name resolves to is judged at each delivery, since it may change.
 */
export function readEndpointUrl(text: string, allowsPrivate: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw unfit(text, 'is not a web address', 'give a whole address that begins with https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw unfit(url.host, 'has a password in it', 'leave it out: every delivery is signed');
  }
  if (allowsPrivate) return url;
  if (url.protocol !== 'https:') {
    throw unfit(text, 'is not encrypted', `give one that begins with https://, ${OR_SWITCH}`);
  }
  if (isPrivateHost(url.hostname)) {
    throw unfit(text, 'is inside a private network', `give a public one, ${OR_SWITCH}`);
  }
  return url;
}

const OR_SWITCH = 'or set SPANLEDGER_WEBHOOK_PRIVATE=yes where receivers are your own';

function unfit(what: string, why: string, remedy: string): Refusal {
  return new Refusal('bad_request', `the endpoint ${what} ${why}`, remedy);
}

function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isIP(host) !== 0) return isPrivateAddress(host);
  return host === 'localhost' || host.endsWith('.localhost') || !host.includes('.');
}

/** Tells whether an IP address is one that the internet does not route to a stranger. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  return family === 4 ? PRIVATE_4.check(address) : PRIVATE_6.check(address, 'ipv6');
}

/** They are apart, since a list takes an address of the one family for a mapped one of the other. */
const PRIVATE_4 = new BlockList();
const PRIVATE_6 = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE_4.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE_6.addSubnet(network, bits, 'ipv6');
}
