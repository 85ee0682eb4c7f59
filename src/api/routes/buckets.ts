import {
  archiveAnswer,
  archiveCheckAnswer,
  archiveCheckRequest,
  archiveRequest,
} from '../../archive/archive-answer.ts';
import { checkArchive } from '../../archive/check-archive.ts';
import { writeArchive } from '../../archive/write-archive.ts';
import { isBucket } from '../../aws/s3-address.ts';
import { Refusal } from '../../refusal.ts';
import { publishSeals } from '../../seals/publication/publish-seals.ts';
import { sealPublicationAnswer, sealPublicationRequest } from '../../seals/seal-answer.ts';
import { type Route, route } from '../route.ts';

const ADMIN = ['admin'] as const;

/** What is written to a bucket, or checked in one. */
export const BUCKET_ACTS: readonly Route[] = [
  route('POST /v1/seals/publish', {
    about: 'operations',
    act: 'seal publish',
    roles: ADMIN,
    summary: 'seal what is posted, and publish the last seal of each UTC day to a bucket',
    request: sealPublicationRequest,
    answer: sealPublicationAnswer,
    async use(parts, request) {
      refuseFile(request.to);
      if (request.restored_from !== null) refuseFile(request.restored_from);
      return publishSeals(parts, request);
    },
  }),
  route('POST /v1/archives', {
    about: 'operations',
    act: 'archive write',
    roles: ADMIN,
    summary: 'copy closed periods to a bucket; what is there already is left',
    request: archiveRequest,
    answer: archiveAnswer,
    rows: 'periods',
    async use(parts, request) {
      refuseFile(request.to);
      return writeArchive(parts, request);
    },
  }),
  route('POST /v1/archives/check', {
    about: 'operations',
    roles: ADMIN,
    summary: 'check every period that was archived to a bucket',
    request: archiveCheckRequest,
    answer: archiveCheckAnswer,
    rows: 'periods',
    async use(parts, request) {
      refuseFile(request.place);
      return checkArchive(parts, request);
    },
  }),
];

/** A path that a client names would be a file of the server's. */
function refuseFile(place: string): void {
  if (isBucket(place)) return;
  throw new Refusal(
    'bad_request',
    'a request names no file of the server',
    'name a bucket, s3://BUCKET/PREFIX; the command line writes files',
  );
}
