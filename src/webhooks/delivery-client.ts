import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { isPrivateAddress, readEndpointUrl } from './address.ts';

/** The result of one try; a receiver that is gone gets no more messages. */
export interface Tried {
  readonly kind: 'taken' | 'failed' | 'gone';
  /** What the receiver answered, or why it could not be asked. */
  readonly answer: string;
  /** The header with which a receiver says when it may be tried again, as it stands; null where it says nothing. */
  readonly retryAfter: string | null;
}

/** A receiver that takes longer is tried again later; nobody else waits for it longer either. */
const TIMEOUT_MS = 15_000;

/**
 * Sends one request, and judges the answer by its status alone: its body is never read, so a slow or an endless one
 * holds nobody. A redirect is a failure, since it would lead to where nobody looked. The connection is made to an
 * address that was looked at, so that a name cannot change between the look and the request. Never rejects.
 */
export async function sendSigned(
  request: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
  of: { readonly allowsPrivate: boolean; readonly timeoutMs?: number },
): Promise<Tried> {
  try {
    const url = readEndpointUrl(request.url, of.allowsPrivate);
    return tell(await askStatus(url, request, of));
  } catch (error) {
    const answer = error instanceof Error ? whyOf(error) : String(error);
    return { kind: 'failed', answer, retryAfter: null };
  }
}

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
}

function tell({ status, retryAfter }: Answered): Tried {
  const answer = `status ${status}`;
  if (status >= 200 && status < 300) return { kind: 'taken', answer, retryAfter: null };
  if (status === 410) return { kind: 'gone', answer, retryAfter: null };
  if (status >= 300 && status < 400) {
    return { kind: 'failed', answer: `${answer}: redirects are not followed`, retryAfter };
  }
  return { kind: 'failed', answer, retryAfter };
}

const UNTRUSTED =
  'its certificate is signed by no authority that is trusted here; NODE_EXTRA_CA_CERTS names further ones';

/** What is wrong with the certificate of a receiver, by the code of the error. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is signed by itself and not trusted here; NODE_EXTRA_CA_CERTS names those that are',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name than that of its address',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** Some errors of connections say nothing but their code. */
function whyOf(error: Error & { readonly code?: string }): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer in time';
  const certificate = CERTIFICATE_FAULTS[error.code ?? ''];
  if (certificate !== undefined) return certificate;
  return (error.message || error.code || error.name).slice(0, 300);
}

function askStatus(
  url: URL,
  { headers, body }: Parameters<typeof sendSigned>[0],
  { allowsPrivate, timeoutMs = TIMEOUT_MS }: Parameters<typeof sendSigned>[1],
): Promise<Answered> {
  const { request } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-length': Buffer.byteLength(body),
        'user-agent': 'spanledger',
      },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      ...(allowsPrivate ? {} : { lookup: publicLookup }),
    });
    sent.on('response', (response) => {
      const retryAfter = response.headers['retry-after'] ?? null;
      resolve({ status: response.statusCode ?? 0, retryAfter });
      response.on('error', () => {});
      response.destroy();
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Resolves a name as usual, and refuses it where any of its addresses is a private one. */
const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) {
      return done(error ?? new Error(`${hostname} has no address`), '', 0);
    }
    if (addresses.some(({ address }) => isPrivateAddress(address))) {
      return done(new Error(`${hostname} leads into a private network`), '', 0);
    }
    if (options.all === true) return done(null, addresses);
    done(null, first.address, first.family);
  });
};
