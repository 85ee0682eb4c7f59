import { GetObjectCommand } from '@aws-sdk/client-s3';
import { connectS3 } from '../aws/s3-client.ts';
import { LARGEST_OBJECT_BYTES } from '../events/folded.ts';
import type { ObjectSource } from './notified-objects.ts';

export interface Objects extends ObjectSource {
  close(): void;
}

/** Opens objects of S3, or of the server at `endpoint`. */
export function openObjects(endpoint: string | null): Objects {
  const client = connectS3(endpoint);
  return {
    async read({ bucket, key }) {
      const { Body, ContentLength = 0 } = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key }),
      );
      if (ContentLength > LARGEST_OBJECT_BYTES) {
        throw new Error(`it has ${ContentLength} bytes, more than ${LARGEST_OBJECT_BYTES}`);
      }
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    close: () => client.destroy(),
  };
}
