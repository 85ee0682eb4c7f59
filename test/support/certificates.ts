import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Certificates as receivers have them, made when a test needs them: none lies in a file and expires there. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOf {
  readonly name: string;
  /** An address for which the certificate holds; null for an authority. */
  readonly address: readonly [number, number, number, number] | null;
  readonly from: Date;
  readonly to: Date;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

/** Makes one that is signed by the issuer, or by itself. */
export function makeCertificate(of: CertificateOf, issuer: Issuer | null = null): Certificate {
  return makeSigned(of, issuer).certificate;
}

/** Makes an authority, which issues others. */
export function makeAuthority(of: Omit<CertificateOf, 'address'>) {
  const { certificate, own } = makeSigned({ ...of, address: null }, null);
  return {
    cert: certificate.cert,
    issue: (issued: CertificateOf) => makeCertificate(issued, own),
  };
}

function makeSigned(of: CertificateOf, issuer: Issuer | null) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const by = issuer ?? { name: of.name, key: privateKey };
  const told = sequence(
    der(0xa0, integer(2)),
    integer(Math.floor(Math.random() * 0x7fffffff)),
    ECDSA_WITH_SHA256,
    nameOf(by.name),
    sequence(time(of.from), time(of.to)),
    nameOf(of.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(of.address === null ? IS_AUTHORITY : holdsFor(of.address))),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', told, by.key));
  const encoded = sequence(told, ECDSA_WITH_SHA256, signature).toString('base64');
  const lines = encoded.match(/.{1,64}/g) ?? [];
  const cert = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join(
    '\n',
  );
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate: { cert, key }, own: { name: of.name, key: privateKey } };
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(value, 1);
  const first = bytes.findIndex((byte, place) => byte !== 0 || place === 4);
  const isNegative = (bytes[first] ?? 0) >= 0x80;
  return der(0x02, bytes.subarray(isNegative ? first - 1 : first));
}

function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function nameOf(name: string): Buffer {
  const commonName = der(0x06, Buffer.of(0x55, 0x04, 0x03));
  return sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(name)))));
}

function holdsFor(address: readonly number[]): Buffer {
  const names = sequence(der(0x87, Buffer.of(...address)));
  return sequence(der(0x06, Buffer.of(0x55, 0x1d, 0x11)), der(0x04, names));
}

const ECDSA_WITH_SHA256 = sequence(
  der(0x06, Buffer.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)),
);
const TRUE = der(0x01, Buffer.of(0xff));
const IS_AUTHORITY = sequence(
  der(0x06, Buffer.of(0x55, 0x1d, 0x13)),
  TRUE,
  der(0x04, sequence(TRUE)),
);
