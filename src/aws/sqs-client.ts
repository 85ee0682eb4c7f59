import { SQSClient } from '@aws-sdk/client-sqs';
import type { Config } from '../config.ts';
import { required } from '../config.ts';

export interface SqsAddress {
  /** An address to use instead of AWS's own, such as a local queue server's; null for AWS. */
  readonly endpoint: string | null;
  /** The region to ask; null for the one that the SDK finds in its environment. */
  readonly region: string | null;
}

/**
 * Makes an SQS client. A local queue server takes any region and credentials, and looking up real
 * ones can stall; every other address gets the SDK's own. The endpoint goes in by code, because
 * from the environment the queue URL's host would win over it.
 */
export function connect(
  address: SqsAddress,
  limits: { readonly requestTimeoutMs: number; readonly maxSockets: number },
): SQSClient {
  const { endpoint, region } = address;
  const isLocal = endpoint !== null && isLocalAddress(endpoint);
  return new SQSClient({
    ...(region === null && !isLocal ? {} : { region: region ?? 'us-east-1' }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(isLocal ? { credentials: LOCAL_CREDENTIALS } : {}),
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: limits.requestTimeoutMs,
      // Without this the SDK only warns, and waits forever on a server that never answers.
      throwOnRequestTimeout: true,
      // The request's own time ends with the first byte of its answer; the rest may stall as well.
      socketTimeout: limits.requestTimeoutMs,
      httpAgent: { maxSockets: limits.maxSockets, keepAlive: true },
      httpsAgent: { maxSockets: limits.maxSockets, keepAlive: true },
    },
  });
}

/** Loopback, a name below localhost, or a bare name as containers give one another. */
function isLocalAddress(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return (
    /^(127\.|\[::1\]|localhost$)/.test(hostname) ||
    hostname.endsWith('.localhost') ||
    !hostname.includes('.')
  );
}

/** Returns the queue that a variable of the environment names, and how it is reached. */
export function queueAddress(
  config: Config,
  variable: 'SPANLEDGER_QUEUE_URL' | 'SPANLEDGER_STRIPE_EVENTS_QUEUE_URL',
): SqsAddress & { readonly queueUrl: string } {
  const queueUrl = required(config, variable);
  const given = config.AWS_ENDPOINT_URL_SQS ?? config.AWS_ENDPOINT_URL ?? null;
  const region = config.AWS_REGION ?? regionOf(queueUrl);
  return { queueUrl, endpoint: endpointOf(queueUrl, given), region };
}

/** Returns the region that AWS's own address of a queue names; null for any other address. */
export function regionOf(queueUrl: string): string | null {
  const { hostname } = new URL(queueUrl);
  return (
    /(?:^|\.)sqs\.([a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/.exec(hostname)?.[1] ?? null
  );
}

/**
 * Returns the address of a queue when no endpoint is given: at its URL's own host, unless that is
 * AWS's.
 */
export function endpointOf(queueUrl: string, given: string | null): string | null {
  if (given !== null) return given;
  const { hostname, origin } = new URL(queueUrl);
  return /\.amazonaws\.com(\.cn)?$/.test(hostname) ? null : origin;
}

const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
