import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/**
 * As much of S3 as seals and archives need, on loopback: versions, `If-None-Match: *`, checksums, lists, and locks that
 * keep a version from being deleted. Neither the queue server of the tests nor any small package has the locks.
 * What it answers follows the S3 API reference; signatures are not checked.
 */
export interface S3Server {
  readonly endpoint: string;
  /** All versions of all objects of a bucket, oldest first. */
  versions(bucket: string): readonly ObjectVersion[];
  makeBucket(bucket: string, options?: { readonly objectLock: boolean }): void;
  /** What a command needs to reach it. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  /** Null for a delete marker. */
  readonly body: Buffer | null;
  readonly lockMode: string | null;
  readonly retainUntil: string | null;
}

interface Bucket {
  readonly objectLock: boolean;
  readonly versions: ObjectVersion[];
}

/** Fewer than S3's thousand, so that a test meets a second page. */
const VERSIONS_A_PAGE = 2;

/** Starts a server for one test; it ends with the test. */
export async function startS3(): Promise<S3Server> {
  const buckets = new Map<string, Bucket>();
  const server = createServer((request, response) => {
    void readBody(request).then((body) => answer(buckets, { request, body, response }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    versions: (bucket) => buckets.get(bucket)?.versions ?? [],
    makeBucket(bucket, { objectLock } = { objectLock: true }) {
      buckets.set(bucket, { objectLock, versions: [] });
    },
    environment: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
}

function answer(buckets: ReadonlyMap<string, Bucket>, exchange: Exchange): void {
  const { request, response } = exchange;
  const url = new URL(request.url ?? '/', 'http://s3');
  const [name = '', ...path] = decodeURIComponent(url.pathname).slice(1).split('/');
  const bucket = buckets.get(name);
  const key = path.join('/');
  const on = { ...exchange, url, fail: failOn(response) };
  if (bucket === undefined) on.fail(404, 'NoSuchBucket', 'The bucket does not exist');
  else if (request.method === 'PUT') put(bucket, key, on);
  else if (request.method === 'DELETE') remove(bucket, key, on);
  else if (url.searchParams.has('object-lock')) tellLock(bucket, on);
  else if (url.searchParams.has('list-type')) listObjects(bucket, url, response);
  else if (key === '') list(bucket, url, response);
  else get(bucket, key, on);
}

type Fail = (status: number, code: string, message: string) => void;

interface Handled extends Exchange {
  readonly url: URL;
  readonly fail: Fail;
}

function failOn(response: ServerResponse): Fail {
  return (status, code, message) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  };
}

function get(bucket: Bucket, key: string, on: Handled): void {
  const wanted = on.url.searchParams.get('versionId');
  const found = bucket.versions.findLast(
    (version) => version.key === key && (wanted === null || version.versionId === wanted),
  );
  if (found === undefined || found.body === null) {
    on.fail(404, 'NoSuchKey', 'The specified key does not exist.');
  } else {
    on.response.writeHead(200, { 'x-amz-version-id': found.versionId }).end(found.body);
  }
}

function tellLock(bucket: Bucket, on: Handled): void {
  if (!bucket.objectLock) {
    const message = 'Object Lock configuration does not exist for this bucket';
    on.fail(404, 'ObjectLockConfigurationNotFoundError', message);
    return;
  }
  const enabled = '<ObjectLockEnabled>Enabled</ObjectLockEnabled>';
  on.response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(`<ObjectLockConfiguration>${enabled}</ObjectLockConfiguration>`);
}

function put(bucket: Bucket, key: string, on: Handled): void {
  const fault = faultOfPut(bucket, key, on);
  if (fault !== null) {
    on.fail(...fault);
    return;
  }
  const lockMode = headerOf(on, 'x-amz-object-lock-mode');
  const retainUntil = headerOf(on, 'x-amz-object-lock-retain-until-date');
  addVersion(bucket, { key, body: on.body, lockMode, retainUntil });
  on.response.writeHead(200).end();
}

function faultOfPut(bucket: Bucket, key: string, on: Handled): Parameters<Fail> | null {
  const isLocked = headerOf(on, 'x-amz-object-lock-mode') !== null;
  const checksum = headerOf(on, 'x-amz-checksum-sha256');
  if (isLocked && !bucket.objectLock) {
    return [400, 'InvalidRequest', 'Bucket is missing Object Lock Configuration'];
  }
  if (isLocked && checksum === null) {
    const rule = 'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests';
    return [400, 'InvalidRequest', `${rule} with Object Lock parameters`];
  }
  if (checksum !== null && checksum !== createHash('sha256').update(on.body).digest('base64')) {
    return [400, 'BadDigest', 'The SHA256 you specified did not match what we received.'];
  }
  const latest = bucket.versions.findLast((version) => version.key === key);
  const isTaken = latest !== undefined && latest.body !== null;
  if (headerOf(on, 'if-none-match') !== '*' || !isTaken) return null;
  return [412, 'PreconditionFailed', 'At least one of the pre-conditions did not hold'];
}

function headerOf(on: Handled, name: string): string | null {
  return on.request.headers[name]?.toString() ?? null;
}

/** Without a version it hides the object; a version under a lock stays. */
function remove(bucket: Bucket, key: string, on: Handled): void {
  const wanted = on.url.searchParams.get('versionId');
  const index = bucket.versions.findIndex((version) => version.versionId === wanted);
  if (Date.parse(bucket.versions[index]?.retainUntil ?? '') > Date.now()) {
    on.fail(403, 'AccessDenied', 'Access Denied because object protected by object lock.');
    return;
  }
  if (wanted === null) addVersion(bucket, { key, body: null, lockMode: null, retainUntil: null });
  else if (index >= 0) bucket.versions.splice(index, 1);
  on.response.writeHead(204).end();
}

function addVersion(bucket: Bucket, version: Omit<ObjectVersion, 'versionId'>): void {
  bucket.versions.push({ ...version, versionId: `v${bucket.versions.length + 1}` });
}

function list(bucket: Bucket, url: URL, response: ServerResponse): void {
  const prefix = url.searchParams.get('prefix') ?? '';
  const after = url.searchParams.get('version-id-marker');
  const all = bucket.versions.filter((version) => version.key.startsWith(prefix));
  const first = all.findIndex((version) => version.versionId === after) + 1;
  const page = all.slice(first, first + VERSIONS_A_PAGE);
  const last = page.at(-1);
  const more = first + page.length < all.length;
  const rows = page.map(({ key, versionId, body }) => {
    const name = body === null ? 'DeleteMarker' : 'Version';
    return `<${name}><Key>${key}</Key><VersionId>${versionId}</VersionId></${name}>`;
  });
  const next = more
    ? `<NextKeyMarker>${last?.key}</NextKeyMarker><NextVersionIdMarker>${last?.versionId}</NextVersionIdMarker>`
    : '';
  response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(
      `<ListVersionsResult><IsTruncated>${more}</IsTruncated>${next}${rows.join('')}</ListVersionsResult>`,
    );
}

/** The objects that no later version hides, in the order of their keys; the token is the last key of a page. */
function listObjects(bucket: Bucket, url: URL, response: ServerResponse): void {
  const prefix = url.searchParams.get('prefix') ?? '';
  const after = url.searchParams.get('continuation-token') ?? '';
  const newest = new Map(bucket.versions.map(({ key, body }) => [key, body]));
  const keys = [...newest.keys()].filter((key) => newest.get(key) !== null).sort();
  const left = keys.filter((key) => key.startsWith(prefix) && key > after);
  const page = left.slice(0, VERSIONS_A_PAGE);
  const more = page.length < left.length;
  const rows = page.map((key) => `<Contents><Key>${key}</Key></Contents>`);
  const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${rows.join('')}</ListBucketResult>`,
    );
}
